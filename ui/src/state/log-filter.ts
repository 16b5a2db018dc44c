import type { LogQuery } from '$api/logs';
import { href } from './route';

export type LogFilter = LogQuery;

/** Minimum levels, as the page offers them. The empty one filters nothing. */
export const LEVELS = ['', 'info', 'warning', 'error'] as const;

export const NO_FILTER: LogFilter = {
  level: '',
  source: '',
  grep: '',
  request_id: '',
  trace_id: '',
  from: '',
  to: '',
};

/** All records of one request or trace, whatever was filtered for before. */
export const only = (id: Pick<LogFilter, 'request_id'> | Pick<LogFilter, 'trace_id'>): LogFilter => ({
  ...NO_FILTER,
  ...id,
});

const KEYS = Object.keys(NO_FILTER) as (keyof LogFilter)[];
const KNOWN_LEVELS = ['debug', 'info', 'warning', 'error', 'critical'];

/** What the address says; what it says wrongly is left out rather than sent on. */
export function filterFromQuery(query: string): LogFilter {
  const params = new URLSearchParams(query);
  const filter = Object.fromEntries(KEYS.map((key) => [key, params.get(key) ?? ''])) as unknown as LogFilter;
  const isTime = (text: string) => (Number.isNaN(Date.parse(text)) ? '' : text);
  const level = KNOWN_LEVELS.includes(filter.level) ? filter.level : '';
  return { ...filter, level, from: isTime(filter.from), to: isTime(filter.to) };
}

export const filterToHref = (filter: LogFilter): string => href('/logs', { ...filter });

export const sameFilter = (a: LogFilter, b: LogFilter): boolean => KEYS.every((key) => a[key] === b[key]);

export const isFiltered = (filter: LogFilter): boolean => !sameFilter(filter, NO_FILTER);

/** A range with an end does not move: there is nothing to follow. */
export const isLive = (filter: LogFilter): boolean => filter.to === '';
