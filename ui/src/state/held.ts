import type { LogRow } from '$wire';

/** Rows held back while the reader stands still. Older ones than these come from the table when they are asked for. */
export const MOST_HELD = 5_000;

export class Held {
  #rows: LogRow[] = [];
  #count = 0;
  #endLost = false;

  constructor(readonly most: number = MOST_HELD) {}

  get rows(): readonly LogRow[] {
    return this.#rows;
  }
  /** How many came, also those that were let go. */
  get count(): number {
    return this.#count;
  }
  /** Too much came to catch up with row by row: going back to the live end loads it anew. */
  get endLost(): boolean {
    return this.#endLost;
  }

  add(rows: readonly LogRow[]): void {
    this.#count += rows.length;
    this.#rows = this.#rows.concat(rows);
    if (this.#rows.length > this.most) this.loseEnd();
  }

  loseEnd(): void {
    this.#endLost = true;
    this.#rows = this.#rows.slice(-1);
  }

  clear(): void {
    this.#rows = [];
    this.#count = 0;
    this.#endLost = false;
  }
}
