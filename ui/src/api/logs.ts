import type { Histogram, LogRow, Page } from '$wire';
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
}

type Extra = Record<string, string | number>;

const query = (filter: Partial<LogQuery>, extra: Extra = {}): string => {
  const pairs = Object.entries({ ...filter, ...extra }).filter(([, value]) => value !== '');
  const text = new URLSearchParams(pairs.map(([key, value]) => [key, String(value)])).toString();
  return text === '' ? '' : `?${text}`;
};

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

/** A live stream has no time range; it resumes behind `lastId`. */
export const logStreamUrl = (filter: LogQuery, lastId: string) =>
  `/api/logs/stream${query({ ...filter, from: '', to: '' }, { last_event_id: lastId })}`;
