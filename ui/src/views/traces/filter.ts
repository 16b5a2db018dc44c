import type { TraceQuery } from '$api/traces';
import type { ListedTrace } from '$wire';
import { absolute } from '$format/time';
import { milliseconds } from '$format/number';
import { oneLine } from '$format/safe-text';
import { href, pathOf } from '$state/route';
import { shareOf, type Range } from '$views/parts/range';

export const STATUSES = [
  { value: '', label: 'any' },
  { value: 'error', label: 'errors' },
] as const;

const number = (text: string): string =>
  text.trim() !== '' && Number(text) >= 0 ? String(Number(text)) : '';

/** What the address says; what it says wrongly is left out rather than sent on. */
export const queryOf = (param: (name: string) => string): TraceQuery => ({
  service: param('service'),
  operation: param('operation'),
  status: ['unset', 'ok', 'error'].includes(param('status')) ? param('status') : '',
  min_duration_ms: number(param('min')),
  max_duration_ms: number(param('max')),
});

export const isFiltered = (query: TraceQuery): boolean => Object.values(query).some((value) => value !== '');

/** The page of one trace; `list` is the query of the list that one comes back to. */
export const traceHref = (id: string, list = ''): string => href(pathOf('traces', id), { list });

export const hasErrors = (trace: ListedTrace): boolean => trace.errors > 0 || trace.status === 'error';

export const dotsOf = (traces: readonly ListedTrace[], range: Range, list: string) =>
  traces.flatMap((trace) => {
    const x = shareOf(trace.started_at, range);
    const bad = hasErrors(trace);
    const said = `${oneLine(trace.service, 60)} ${oneLine(trace.name, 120)}, ${milliseconds(trace.duration_ms)}`;
    const title = `${said}${bad ? ', with errors' : ''}, ${absolute(trace.started_at)}`;
    return x === null
      ? []
      : [
          {
            key: trace.trace_id,
            x,
            value: trace.duration_ms,
            bad,
            title,
            href: traceHref(trace.trace_id, list),
          },
        ];
  });

/** What the chart spans: the time asked for, or from the oldest trace of a list that was cut. */
export function chartRange(traces: readonly ListedTrace[], range: Range, cut: boolean): Range {
  const oldest = Date.parse(traces.at(-1)?.started_at ?? '');
  const newest = Date.parse(traces[0]?.started_at ?? '');
  if (!cut || !(oldest < range.to)) return range;
  return { from: oldest, to: Math.max(newest, oldest + 1) };
}
