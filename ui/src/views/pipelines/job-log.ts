/** A job's log as GitHub's runner writes it: a time before each line, and commands behind `##[` or `::`. */
export type LineKind = 'plain' | 'group' | 'command' | 'error' | 'warning' | 'notice' | 'debug';

export interface JobLine {
  /** From 1, as GitHub counts. */
  number: number;
  /** Milliseconds; null when the line has no time. */
  at: number | null;
  kind: LineKind;
  text: string;
  /** The number of the line that heads its group and can fold it away; null outside of groups. */
  group: number | null;
}

const TIME = /^\ufeff?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z) ?/;
const COMMAND = /^(?:##\[(\w+)\]|::(\w+)(?: [^:]*)?::)/;
const KINDS: Record<string, LineKind> = {
  group: 'group',
  section: 'group',
  command: 'command',
  error: 'error',
  warning: 'warning',
  notice: 'notice',
  debug: 'debug',
};

/** Without the lines that only end a group. */
export function parseLog(lines: readonly string[]): JobLine[] {
  const parsed: JobLine[] = [];
  let group: number | null = null;
  for (const [index, line] of lines.entries()) {
    const time = TIME.exec(line);
    const rest = time ? line.slice(time[0].length) : line;
    const command = COMMAND.exec(rest);
    const name = command?.[1] ?? command?.[2] ?? '';
    if (name === 'endgroup') {
      group = null;
      continue;
    }
    const kind = KINDS[name] ?? 'plain';
    if (kind === 'group') group = index + 1;
    parsed.push({
      number: index + 1,
      at: time?.[1] ? Date.parse(time[1]) : null,
      kind,
      text: kind === 'plain' ? rest : rest.slice(command?.[0].length ?? 0),
      group: kind === 'group' ? null : group,
    });
  }
  return parsed;
}

const LOOKS_BAD = /\b(error|failed|failure|fatal|exception|panic|traceback)\b[:!]?|✗|✖|npm ERR!/i;
const LOOKS_GOOD = /\b0 (errors?|failed|failures?)\b|\bno errors?\b/i;
/** How far before the runner's own error the reason is looked for. */
const BEFORE = 40;

/**
 * The line that says why it failed: the runner's `##[error]` most often only tells the exit code, so what looks bad
 * shortly before it goes first. Null when nothing does.
 */
export function firstError(lines: readonly JobLine[]): number | null {
  const marked = lines.findIndex((line) => line.kind === 'error');
  const from = marked < 0 ? 0 : Math.max(0, marked - BEFORE);
  const to = marked < 0 ? lines.length : marked;
  const exitCode = marked < 0 || /exit code/i.test(lines[marked]?.text ?? '');
  if (exitCode) {
    const bad = lines.slice(from, to).findIndex(looksBad);
    if (bad >= 0) return from + bad;
  }
  return marked < 0 ? null : marked;
}

const looksBad = (line: JobLine): boolean =>
  line.kind === 'plain' && LOOKS_BAD.test(line.text) && !LOOKS_GOOD.test(line.text);

/** Indices of the lines that have the text. */
export function search(lines: readonly JobLine[], text: string): number[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === '') return [];
  return lines.flatMap((line, index) => (line.text.toLowerCase().includes(wanted) ? index : []));
}

/** The text in parts, for marking what was searched. */
export function parts(text: string, wanted: string): { text: string; match: boolean }[] {
  const needle = wanted.trim().toLowerCase();
  if (needle === '') return [{ text, match: false }];
  const found: { text: string; match: boolean }[] = [];
  const lower = text.toLowerCase();
  let from = 0;
  for (let at = lower.indexOf(needle); at >= 0; at = lower.indexOf(needle, from)) {
    if (at > from) found.push({ text: text.slice(from, at), match: false });
    from = at + needle.length;
    found.push({ text: text.slice(at, from), match: true });
  }
  if (from < text.length) found.push({ text: text.slice(from), match: false });
  return found;
}
