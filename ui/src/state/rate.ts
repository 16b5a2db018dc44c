/** How many of something came a second, over the last `WINDOW_MS`. Times are milliseconds. */
export const WINDOW_MS = 5_000;

export class Rate {
  #arrivals: { at: number; n: number }[] = [];

  add(n: number, now: number): void {
    if (n > 0) this.#arrivals.push({ at: now, n });
  }

  perSecond(now: number): number {
    this.#arrivals = this.#arrivals.filter(({ at }) => now - at < WINDOW_MS);
    return this.#arrivals.reduce((sum, { n }) => sum + n, 0) / (WINDOW_MS / 1000);
  }

  clear(): void {
    this.#arrivals = [];
  }
}
