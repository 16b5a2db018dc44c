/** What lies between the records: deployments, as marks among the rows and on the chart. */
import type { Deployment, LogRow, Overview } from '$wire';
import { oneLine, shortRevision } from '$format/safe-text';
import { absolute } from '$format/time';
import { pathOf } from '$state/route';

export interface DeployMark {
  /** Below zero, so that it is no record's; the same for the same moment of the same deployment. */
  id: number;
  /** Milliseconds. */
  at: number;
  ts: string;
  text: string;
  origin: string;
  href: string;
}

export interface ChartMark {
  at: number;
  kind: 'deploy' | 'restart' | 'gap';
  title: string;
}

const ENDED: Record<string, string> = {
  succeeded: 'deployed',
  failed: 'deployment failed:',
  rolled_back: 'rolled back:',
};
const ids = new Map<string, number>();

/** The same number whenever the same is asked; a tab that is open for a week meets some thousands. */
function idOf(key: string): number {
  const known = ids.get(key);
  if (known !== undefined) return known;
  const fresh = -1 - ids.size;
  ids.set(key, fresh);
  return fresh;
}

function momentsOf(origin: string, one: Deployment): DeployMark[] {
  const where = [oneLine(origin, 60), one.slot && oneLine(one.slot, 20)].filter(Boolean).join('/');
  const what = `${shortRevision(one.revision)}${one.pr ? ` (#${one.pr.number})` : ''} to ${where}`;
  const mark = (when: string, ts: string, text: string): DeployMark => ({
    id: idOf(`${origin} ${one.id} ${when}`),
    at: Date.parse(ts),
    ts,
    text: `${text} ${what}`,
    origin,
    href: pathOf('deployments', origin, one.id),
  });
  const started = mark('start', one.started_at, 'deploying');
  const said = ENDED[one.phase];
  return one.ended_at && said ? [started, mark('end', one.ended_at, said)] : [started];
}

/** Of all origins, or of one; in order of time. */
export function deployMarks(overview: Overview | null, source: string): DeployMark[] {
  const origins = overview?.origins ?? [];
  return origins
    .filter(({ name }) => source === '' || source === name || source.startsWith(`${name}:`))
    .flatMap(({ name, deploy }) => (deploy?.recent_deploys ?? []).flatMap((one) => momentsOf(name, one)))
    .sort((a, b) => a.at - b.at);
}

const rowOf = (mark: DeployMark): LogRow => ({
  id: mark.id,
  ts: mark.ts,
  level: 'info',
  source: mark.origin,
  logger: '',
  message: mark.text,
  kind: 'deployment',
  fields: { href: mark.href },
});

/** The first row that is not older. Rows of several sources are nearly in order of time: near enough for a mark. */
function placeOf(rows: readonly LogRow[], at: number): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (Date.parse(rows[middle]?.ts ?? '') < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Rows with the marks of their time among them. At the `live` end also what is newer than the last row. */
export function withMarks(
  rows: readonly LogRow[],
  marks: readonly DeployMark[],
  live: boolean,
): readonly LogRow[] {
  const first = Date.parse(rows[0]?.ts ?? '');
  const last = live ? Infinity : Date.parse(rows.at(-1)?.ts ?? '');
  const shown = marks.filter(({ at }) => at >= first && at <= last);
  if (shown.length === 0) return rows;
  const all: LogRow[] = [];
  let from = 0;
  for (const mark of shown) {
    const to = Math.max(from, placeOf(rows, mark.at));
    for (; from < to; from++) all.push(rows[from] as LogRow);
    all.push(rowOf(mark));
  }
  for (; from < rows.length; from++) all.push(rows[from] as LogRow);
  return all;
}

/** On the chart: each moment once for each kind, all that it means in the title. */
export function chartMarks(
  range: { from: number; to: number } | null,
  deployments: readonly DeployMark[],
  others: readonly LogRow[],
): ChartMark[] {
  if (!range) return [];
  const marks = new Map<string, ChartMark>();
  const add = (kind: ChartMark['kind'], ts: string, text: string) => {
    const at = (Date.parse(ts) - range.from) / (range.to - range.from);
    if (!(at >= 0 && at <= 1)) return;
    const [key, title] = [`${kind} ${at}`, `${text} at ${absolute(ts)}`];
    const before = marks.get(key)?.title;
    marks.set(key, { at, kind, title: before ? `${before}\n${title}` : title });
  };
  for (const mark of deployments) add('deploy', mark.ts, mark.text);
  for (const row of others) {
    const kind = row.kind === 'gap' ? 'gap' : 'restart';
    add(kind, row.ts, oneLine(row.message, 120) || `${kind} of ${oneLine(row.source, 60)}`);
  }
  return [...marks.values()];
}
