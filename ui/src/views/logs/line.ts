import type { LogRow } from '$wire';
import { count } from '$format/number';
import { parseAnsi, withoutAnsi } from '$format/ansi';
import { logLine, splitByMatch } from '$format/log-line';
import { oneLine } from '$format/safe-text';

/** What a mark between the lines says; null for an ordinary record. */
export function markText(row: LogRow): string | null {
  const said = oneLine(row.message, 200);
  if (row.kind === 'gap')
    return `gap: ${said || `${count(Number(row.fields?.missed ?? 0))} records not held`}`;
  if (row.kind === 'deployment') return said;
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
  return oneLine(withoutAnsi(parts.filter((part) => part !== null && part !== '').join(' ')), 100_000);
}

export interface ShownPart {
  text: string;
  match: boolean;
  look: string;
}

/** A text on one line, in a terminal's colours, with what was sought marked; `longest` characters are seen. */
export function shownParts(text: string, sought: string, longest: number): ShownPart[] {
  let room = longest;
  const parts: ShownPart[] = [];
  // Commands are many letters and none is seen; so much is read as to fill a line all the same.
  for (const { text: plain, look } of parseAnsi(text.slice(0, longest * 8))) {
    if (room <= 0) break;
    for (const part of splitByMatch(oneLine(plain, room), sought)) parts.push({ ...part, look });
    room -= plain.length;
  }
  return parts;
}
