import { readMetricNames, readSeries, type SeriesQuery } from '$api/series';
import type { Marker } from '$wire';
import { asQuery, type Range } from '$views/parts/range';
import { fromFirst, tableOf, type Measures, type RouteTable } from './routes';

export interface Measured extends RouteTable {
  range: Range;
  deployments: Marker[];
}

/** How programs name the duration of what they answer: OpenTelemetry's name now, before, and as Prometheus has it. */
const OTHERS = [
  { name: 'http.server.request.duration', scale: 1 },
  { name: 'http.server.duration', scale: 0.001 },
  { name: 'http_server_request_duration_seconds', scale: 1 },
];
const OTHER_ROUTE = ['service', 'http.route', 'http_route'];
const OTHER_STATUS = ['http.response.status_code', 'http.status_code'];

const HOUR_MS = 3_600_000;
/** Origins are read every 15 s unless it is set otherwise: shorter windows would often be empty. */
const LEAST_STEP = 30;

type Ask = Pick<SeriesQuery, 'name' | 'fn' | 'by'> & { labels?: Record<string, string> };

/** Every route of the origins, or of one; of all other programs too when none is named. */
export async function readRoutes(origin: string, bounds: Range, signal: AbortSignal): Promise<Measured> {
  const time = asQuery(bounds);
  const labels: Record<string, string> = origin === '' ? {} : { origin };
  const step = bounds.to - bounds.from < HOUR_MS ? { step: LEAST_STEP } : {};
  const ask = (what: Ask) => readSeries({ ...what, ...time, ...step }, signal);
  const duration = (name: string, by: string[], mine: Record<string, string>) =>
    (['p50', 'p95', 'p99'] as const).map((fn) => ask({ name, fn, by, labels: mine }));

  const ours = measures([
    ask({ name: 'chimney_requests_total', fn: 'rate', by: ['route'], labels }),
    ask({ name: 'chimney_errors_total', fn: 'rate', by: ['route'], labels }),
    ...duration('chimney_request_duration_seconds', ['route'], labels),
  ]);
  const named = origin === '' ? new Set((await readMetricNames(signal)).items.map((one) => one.name)) : null;
  const theirs = OTHERS.filter(({ name }) => named?.has(name)).map(async ({ name, scale }) => {
    const counted = ask({ name, fn: 'rate', by: [...OTHER_ROUTE, ...OTHER_STATUS] });
    return tableOf(await measures([counted, counted, ...duration(name, OTHER_ROUTE, {})]), scale);
  });
  const own = await ours;
  const tables = [tableOf(own), ...(await Promise.all(theirs))];
  const first = tables.find((table) => table.times.length > 0) ?? tables[0];
  const all = fromFirst({
    times: first?.times ?? [],
    stepMs: first?.stepMs ?? 0,
    rows: tables.flatMap((table) => table.rows),
    partial: [...new Set(tables.flatMap((table) => table.partial))],
  });
  return { ...all, deployments: own.rate.deployments, range: spanOf(all, bounds) };
}

/** What the windows span: they begin on whole steps, so a little earlier than was asked. */
function spanOf(table: RouteTable | undefined, bounds: Range): Range {
  const [from, last] = [table?.times[0], table?.times.at(-1)];
  return from === undefined || last === undefined || last <= from ? bounds : { from, to: last };
}

async function measures(asked: Promise<Measures['rate']>[]): Promise<Measures> {
  const [rate, errors, p50, p95, p99] = await Promise.all(asked);
  return { rate, errors, p50, p95, p99 } as Measures;
}
