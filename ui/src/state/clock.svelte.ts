const TICK_MS = 1000;
/** Clocks that agree to this are believed: our estimate of the difference is no better than half a second. */
const AGREE_MS = 2000;

/**
 * The table's time. Every relative time on the page reads it, so that a wrong clock in the browser's machine does not
 * show in it.
 */
export class Clock {
  #now = $state(Date.now());
  #aheadMs = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Milliseconds; moves once a second. */
  get now(): number {
    return this.#now;
  }

  start(): void {
    this.#tick();
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** By how much the table's clock is ahead of ours. */
  correct(aheadMs: number | null): void {
    if (aheadMs !== null) this.#aheadMs = Math.abs(aheadMs) > AGREE_MS ? aheadMs : 0;
    this.#tick();
  }

  /** How old something is that arrived just now, in seconds; null for what is no time. */
  age(sentAt: string): number | null {
    const age = (Date.now() + this.#aheadMs - Date.parse(sentAt)) / 1000;
    return Number.isNaN(age) ? null : Math.max(0, age);
  }

  #tick(): void {
    this.#now = Date.now() + this.#aheadMs;
  }
}
