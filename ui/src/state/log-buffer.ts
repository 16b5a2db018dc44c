import type { LogRow } from '$wire';

/**
 * Rows by ascending id, each once, at most `capacity`. Adding new ones lets go of the oldest, adding older ones of the
 * newest. Never changes an array that it gave away.
 */
export const CAPACITY = 100_000;

export class LogBuffer {
  #rows: LogRow[] = [];

  constructor(readonly capacity: number = CAPACITY) {}

  get rows(): readonly LogRow[] {
    return this.#rows;
  }
  get oldestId(): number | null {
    return this.#rows[0]?.id ?? null;
  }
  get newestId(): number | null {
    return this.#rows.at(-1)?.id ?? null;
  }

  clear(): void {
    this.#rows = [];
  }

  /** Rows from the live end, or into a gap. */
  append(rows: readonly LogRow[]): void {
    const merged = this.#merge(rows);
    this.#rows = merged.length > this.capacity ? merged.slice(merged.length - this.capacity) : merged;
  }

  /** Rows from an older page. True when the newest had to go: then this no longer ends at the live end. */
  prepend(rows: readonly LogRow[]): boolean {
    const merged = this.#merge(rows);
    this.#rows = merged.length > this.capacity ? merged.slice(0, this.capacity) : merged;
    return merged.length > this.capacity;
  }

  /** Rows that were missing, in place of the mark that said so; `rest` are still missing. */
  fill(mark: LogRow, rows: readonly LogRow[], rest: number): void {
    const others = this.#rows.filter((row) => row.id !== mark.id);
    if (others.length === this.#rows.length) return;
    this.#rows = others;
    this.append(rest > 0 ? [{ ...mark, fields: { ...mark.fields, missed: rest } }, ...rows] : rows);
  }

  #merge(added: readonly LogRow[]): LogRow[] {
    const rows = inOrder(added);
    const [first, last] = [rows[0], rows.at(-1)];
    if (!first || !last) return this.#rows;
    if (this.newestId === null || first.id > this.newestId) return this.#rows.concat(rows);
    if (this.oldestId !== null && last.id < this.oldestId) return rows.concat(this.#rows);
    return inOrder([...this.#rows, ...rows]);
  }
}

/** Sorted, each id once: the one that came first. */
function inOrder(rows: readonly LogRow[]): LogRow[] {
  const ascending = rows.every((row, i) => i === 0 || (rows[i - 1]?.id ?? 0) < row.id);
  if (ascending) return [...rows];
  const byId = new Map<number, LogRow>();
  for (const row of rows) if (!byId.has(row.id)) byId.set(row.id, row);
  return [...byId.values()].sort((a, b) => a.id - b.id);
}

/** The mark for records that the stream could not give. Its id is between two real ones. */
export function gapMark(
  gap: { missed: number; after_id: number; before_id: number; reason: string },
  ts: string,
): LogRow {
  const fields = { missed: gap.missed, reason: gap.reason, after_id: gap.after_id, before_id: gap.before_id };
  return {
    id: gap.after_id + 0.5,
    ts,
    level: 'warning',
    source: '',
    logger: '',
    message: '',
    kind: 'gap',
    fields,
  };
}
