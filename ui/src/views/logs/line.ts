import type { LogRow } from '$wire';
import { logLine } from '$format/log-line';
import { count } from '$format/number';
import { oneLine } from '$format/safe-text';

/** What a mark between the lines says; null for an ordinary record. */
export function markText(row: LogRow): string | null {
  const said = oneLine(row.message, 200);
  if (row.kind === 'gap')
    return `gap: ${said || `${count(Number(row.fields?.missed ?? 0))} records not held`}`;
  if (row.kind !== 'restart') return null;
  const version =
    typeof row.fields?.version === 'string' ? `, version ${oneLine(row.fields.version, 40)}` : '';
  return `${said || `${oneLine(row.source, 60)} restarted`}${version}`;
}

/** A record as one line of plain text, for the clipboard. */
export function plainText(row: LogRow): string {
  const mark = markText(row);
  if (mark !== null) return `--- ${mark} ---`;
  const { text, status, rest } = logLine(row.message, row.fields ?? {});
  const parts = [row.ts, row.level.toUpperCase(), row.source, text, status, rest];
  return oneLine(parts.filter((part) => part !== null && part !== '').join(' '), 100_000);
}
