import type { Facets, Histogram, LogRow, Page } from '$wire';
import { get, getWithHeaders } from './http';

/** Empty strings filter nothing. `level` is a minimum; `from` and `to` are RFC 3339. */
export interface LogQuery {
  level: string;
  source: string;
  grep: string;
  request_id: string;
  trace_id: string;
  from: string;
  to: string;
  deployment: string;
  /** `name:value` each: what fields say, and what they do not. */
  field: readonly string[];
  without: readonly string[];
}

type Extra = Record<string, string | number>;

const query = (filter: Partial<LogQuery>, extra: Extra = {}): string => {
  const text = pairsOf({ ...filter, ...extra }).toString();
  return text === '' ? '' : `?${text}`;
};

/** What says something, a list as often as it is long. */
export function pairsOf(asked: Record<string, string | number | readonly string[]>): URLSearchParams {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(asked)) {
    const values = typeof value === 'object' ? value : [String(value)];
    for (const one of values) if (one !== '') params.append(key, one);
  }
  return params;
}

/** `partial`: the table searched for as long as it may and not to the end. */
export interface LogPage extends Page<LogRow> {
  partial: boolean;
}

export async function readLogs(
  filter: LogQuery,
  page: { limit: number; before?: number | string },
  signal?: AbortSignal,
): Promise<LogPage> {
  const path = `/api/logs${query(filter, { limit: page.limit, before: page.before ?? '' })}`;
  const { body, headers } = await getWithHeaders<Page<LogRow>>(path, signal);
  return { ...body, partial: headers.get('X-Partial') === 'true' };
}

export const readHistogram = (filter: LogQuery, signal?: AbortSignal) =>
  get<Histogram>(`/api/logs/histogram${query(filter)}`, signal);

export const readFacets = (filter: LogQuery, signal?: AbortSignal) =>
  get<Facets>(`/api/logs/facets${query(filter)}`, signal);

/** Restarts and gaps in a time, the newest hundred of each; under no other filter. */
export async function readMarks(from: string, to: string, signal?: AbortSignal): Promise<LogRow[]> {
  const asked = ['restart', 'gap'].map((kind) =>
    get<Page<LogRow>>(`/api/logs${query({ from, to, field: [`kind:${kind}`] }, { limit: 100 })}`, signal),
  );
  return (await Promise.all(asked)).flatMap((page) => page.items);
}

export const downloadUrl = (filter: LogQuery, format: 'ndjson' | 'csv') =>
  `/api/logs/download${query(filter, { format })}`;

/** A live stream has no time range; it resumes behind `lastId`. */
export const logStreamUrl = (filter: LogQuery, lastId: string) =>
  `/api/logs/stream${query({ ...filter, from: '', to: '' }, { last_event_id: lastId })}`;
