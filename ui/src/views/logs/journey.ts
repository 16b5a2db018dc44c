/** The way of one request: what the edge said of it, what the origin did, where its spans are. */
import type { LogRow } from '$wire';
import { logLine } from '$format/log-line';

export interface Step {
  id: number;
  /** `edge` is Caddy, `origin` who answered. */
  place: 'edge' | 'origin';
  source: string;
  text: string;
  status: number | null;
  rest: string;
}

export interface Journey {
  steps: Step[];
  /** Other records of it. */
  others: number;
  traces: string[];
  requests: string[];
}

const MOST = 6;
const some = (ids: (string | null | undefined)[]): string[] =>
  [...new Set(ids.filter((id): id is string => !!id))].slice(0, MOST);

/** From the records that have its id, in any order; the outermost first. */
export function journeyOf(rows: readonly LogRow[]): Journey {
  const finished = rows.filter((row) => row.fields?.status !== undefined && row.fields?.method !== undefined);
  const steps = finished.map((row): Step => {
    const { text, status, rest } = logLine(row.message, row.fields ?? {});
    return {
      id: row.id,
      place: row.source.endsWith(':edge') ? 'edge' : 'origin',
      source: row.source,
      text,
      status,
      rest,
    };
  });
  const outermost = [
    ...steps.filter(({ place }) => place === 'edge'),
    ...steps.filter(({ place }) => place === 'origin'),
  ];
  return {
    steps: outermost.slice(0, MOST),
    others: rows.filter((row) => (row.kind ?? 'log') === 'log').length - Math.min(MOST, steps.length),
    traces: some(rows.map((row) => row.trace_id)),
    requests: some(rows.map((row) => row.request_id)),
  };
}
