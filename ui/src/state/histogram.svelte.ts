import type { Facets, Histogram, LogRow } from '$wire';
import { readFacets, readHistogram, readMarks } from '$api/logs';
import { isLive, NO_FILTER, type LogFilter } from './log-filter';

/** How far back the chart looks when the filter has no range of its own, in seconds. */
export const SPANS = [
  { seconds: 900, label: '15 m' },
  { seconds: 3600, label: '1 h' },
  { seconds: 6 * 3600, label: '6 h' },
  { seconds: 24 * 3600, label: '24 h' },
] as const;

const REFRESH_MS = 5_000;
/** Restarts and gaps are few; they are asked for less often. */
const MARKS_MS = 30_000;

/** Records over time under one filter; keeps what it showed while it asks again or fails to. */
export class LogHistogram {
  #data = $state.raw<Histogram | null>(null);
  #facets = $state.raw<Facets | null>(null);
  #marks = $state.raw<readonly LogRow[]>([]);
  #markedAt = 0;
  #failed = $state(false);
  #span = $state<number>(SPANS[0].seconds);
  #filter: LogFilter = NO_FILTER;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #abort = new AbortController();

  get data(): Histogram | null {
    return this.#data;
  }
  /** How many records each level and source has; null before the first answer. */
  get facets(): Facets | null {
    return this.#facets;
  }
  /** Restarts and gaps in the time of the chart. */
  get marks(): readonly LogRow[] {
    return this.#marks;
  }
  get failed(): boolean {
    return this.#failed;
  }
  get span(): number {
    return this.#span;
  }
  set span(seconds: number) {
    this.#span = seconds;
    this.open(this.#filter);
  }

  open(filter: LogFilter): void {
    this.close();
    this.#filter = filter;
    this.#abort = new AbortController();
    this.#markedAt = 0;
    void this.#read();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#abort.abort();
  }

  async #mark(from: string, to: string, signal: AbortSignal): Promise<void> {
    if (Date.now() - this.#markedAt < MARKS_MS) return;
    this.#marks = await readMarks(from, to, signal);
    this.#markedAt = Date.now();
  }

  async #read(): Promise<void> {
    const { signal } = this.#abort;
    const from = this.#filter.from || new Date(Date.now() - this.#span * 1000).toISOString();
    const timed = { ...this.#filter, from };
    try {
      [this.#data, this.#facets] = await Promise.all([
        readHistogram(timed, signal),
        readFacets(timed, signal),
      ]);
      this.#failed = false;
      await this.#mark(timed.from, timed.to, signal);
    } catch {
      if (!signal.aborted) this.#failed = true;
    }
    if (signal.aborted || !isLive(this.#filter)) return;
    // A longer span costs the table more and moves less.
    this.#timer = setTimeout(() => void this.#read(), Math.max(REFRESH_MS, this.#span * 2));
  }
}
