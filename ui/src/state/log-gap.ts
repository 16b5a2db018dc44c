import type { Gap, LogRow } from '$wire';
import { readLogs, type LogQuery } from '$api/logs';

const PAGE = 300;
/** A gap longer than this stays a mark: more than this many pages nobody reads on the way to the live end. */
const PAGES = 4;

/**
 * What the stream no longer holds, the journal may: reads what lies in the gap, newest first. `rest` is how many are
 * still missing. Never throws; what could not be read is missing.
 */
export async function readGap(
  filter: LogQuery,
  gap: Gap,
  signal: AbortSignal,
): Promise<{ rows: LogRow[]; rest: number }> {
  const rows: LogRow[] = [];
  let before = gap.before_id;
  for (let page = 0; page < PAGES && before > gap.after_id + 1; page++) {
    const answer = await readLogs(filter, { limit: PAGE, before }, signal).catch(() => null);
    if (!answer) return { rows, rest: Math.max(1, gap.missed - rows.length) };
    rows.push(...answer.items.filter((row) => row.id > gap.after_id));
    const oldest = answer.items.at(-1)?.id;
    if (oldest === undefined || oldest <= gap.after_id) return { rows, rest: 0 };
    before = oldest;
  }
  return { rows, rest: before > gap.after_id + 1 ? Math.max(1, gap.missed - rows.length) : 0 };
}
