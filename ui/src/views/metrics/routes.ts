/** What is measured of each route, as rows. Pure. */
import type { SeriesAnswer } from '$wire';

export type Values = (number | null)[];

export interface RouteSeries {
  /** Unlike any other row's. */
  key: string;
  /** Empty for the routes of origins. */
  service: string;
  route: string;
  rate: Values;
  /** Answers of class 5xx, by second. */
  errors: Values;
  p50: Values;
  p95: Values;
  p99: Values;
}

export interface RouteTable {
  /** Starts of the windows, milliseconds. */
  times: number[];
  stepMs: number;
  rows: RouteSeries[];
  partial: string[];
}

export type Measures = Record<'rate' | 'errors' | 'p50' | 'p95' | 'p99', SeriesAnswer>;

/** The name of the label that says the route; OTLP has another. */
const ROUTE_LABELS = ['route', 'http.route', 'http_route'];
const STATUS_LABELS = ['http.response.status_code', 'http.status_code'];
const one = (labels: Record<string, string>, names: readonly string[]): string =>
  names.map((name) => labels[name]).find((value) => value !== undefined) ?? '';

export const keyOf = (service: string, route: string): string => `${service}\u0000${route}`;

/** Seconds for every figure: `scale` is what one of the measure is in seconds. */
export function tableOf(measures: Measures, scale = 1): RouteTable {
  const times = measures.rate.series[0]?.points.map((point) => Date.parse(point.at)) ?? [];
  const empty = (): Values => times.map(() => null);
  const rows = new Map<string, RouteSeries>();
  const index = new Map(times.map((at, i) => [at, i]));
  for (const measure of Object.keys(measures) as (keyof Measures)[]) {
    const seen = new Set<string>();
    for (const { labels, points, source } of measures[measure].series) {
      const [service, route] = [labels.service ?? '', one(labels, ROUTE_LABELS)];
      const key = keyOf(service, route);
      const status = one(labels, STATUS_LABELS);
      // The same from Prometheus: what the table has itself comes first and is enough.
      if (source !== 'table' && seen.has(key) && status === '') continue;
      if (measure === 'errors' && status !== '' && !status.startsWith('5')) continue;
      seen.add(key);
      const row = rows.get(key) ?? {
        key,
        service,
        route,
        rate: empty(),
        errors: empty(),
        p50: empty(),
        p95: empty(),
        p99: empty(),
      };
      rows.set(key, row);
      const factor = measure.startsWith('p') ? scale : 1;
      for (const point of points) {
        const i = index.get(Date.parse(point.at));
        if (i !== undefined && point.value !== null)
          row[measure][i] = (row[measure][i] ?? 0) + point.value * factor;
      }
    }
  }
  return {
    times,
    stepMs: measures.rate.step_seconds * 1000,
    rows: [...rows.values()].filter((row) => row.rate.some((value) => value !== null)),
    partial: [...new Set(Object.values(measures).flatMap((answer) => answer.partial ?? []))],
  };
}

export interface Figures {
  rate: number | null;
  errorPct: number | null;
  p50: number | null;
  p95: number | null;
  p99: number | null;
}

const known = (values: Values): number[] => values.filter((value) => value !== null);
const sum = (values: Values): number => known(values).reduce((a, b) => a + b, 0);
const median = (values: Values): number | null => {
  const sorted = known(values).sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? null;
};
const share = (errors: number, requests: number): number | null =>
  requests > 0 ? Math.min(100, (100 * errors) / requests) : null;

/** Without the windows before the first that was measured; two are left at least, that a line can be drawn. */
export function fromFirst(table: RouteTable): RouteTable {
  const measured = (row: RouteSeries, i: number) => row.rate[i] !== null && row.rate[i] !== undefined;
  const first = table.times.findIndex((_, i) => table.rows.some((row) => measured(row, i)));
  const cut = Math.min(first, table.times.length - 2);
  if (cut <= 0) return table;
  const rows = table.rows.map((row) => ({
    ...row,
    rate: row.rate.slice(cut),
    errors: row.errors.slice(cut),
    p50: row.p50.slice(cut),
    p95: row.p95.slice(cut),
    p99: row.p99.slice(cut),
  }));
  return { ...table, times: table.times.slice(cut), rows };
}

/** At one moment, or of the whole range: means of rates, and what the percentiles usually were. */
export function figuresOf(row: RouteSeries, at: number | null): Figures {
  if (at !== null) {
    const rate = row.rate[at] ?? null;
    return {
      rate,
      errorPct: share(row.errors[at] ?? 0, rate ?? 0),
      p50: row.p50[at] ?? null,
      p95: row.p95[at] ?? null,
      p99: row.p99[at] ?? null,
    };
  }
  const n = known(row.rate).length;
  return {
    rate: n > 0 ? sum(row.rate) / n : null,
    errorPct: share(sum(row.errors), sum(row.rate)),
    p50: median(row.p50),
    p95: median(row.p95),
    p99: median(row.p99),
  };
}

export const errorPcts = (row: RouteSeries): Values =>
  row.rate.map((rate, i) => (rate === null ? null : (share(row.errors[i] ?? 0, rate) ?? 0)));

export const SORTS = [
  { value: '', label: 'busiest' },
  { value: 'errors', label: 'errors' },
  { value: 'slow', label: 'slowest' },
] as const;
export type Sort = (typeof SORTS)[number]['value'];

export function sorted(rows: readonly RouteSeries[], by: Sort, needle: string): RouteSeries[] {
  const low = needle.trim().toLowerCase();
  const weight = (row: RouteSeries): number => {
    const figures = figuresOf(row, null);
    const rate = figures.rate ?? 0;
    if (by === 'errors') return sum(row.errors) * 1e6 + rate;
    return by === 'slow' ? (figures.p95 ?? 0) * 1e6 + rate : rate;
  };
  return rows
    .filter((row) => `${row.service} ${row.route}`.toLowerCase().includes(low))
    .map((row) => ({ row, weight: weight(row) }))
    .sort((a, b) => b.weight - a.weight || a.row.key.localeCompare(b.row.key))
    .map(({ row }) => row);
}
