import { pairsOf, type LogQuery } from '$api/logs';

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
  deployment: '',
  field: [],
  without: [],
};

/** All records of one request or trace, whatever was filtered for before. */
export const only = (id: Pick<LogFilter, 'request_id'> | Pick<LogFilter, 'trace_id'>): LogFilter => ({
  ...NO_FILTER,
  ...id,
});

const LISTS = ['field', 'without'] as const;
const KEYS = (Object.keys(NO_FILTER) as (keyof LogFilter)[]).filter(
  (key): key is Exclude<keyof LogFilter, (typeof LISTS)[number]> => key !== 'field' && key !== 'without',
);
/** As many as the table takes of each. */
const MOST_FIELDS = 10;
const KNOWN_LEVELS = ['debug', 'info', 'warning', 'error', 'critical'];

/** What the address says; what it says wrongly is left out rather than sent on. */
export function filterFromQuery(query: string): LogFilter {
  const params = new URLSearchParams(query);
  const texts = Object.fromEntries(KEYS.map((key) => [key, params.get(key) ?? '']));
  const lists = Object.fromEntries(
    LISTS.map((key) => [key, params.getAll(key).filter(isField).slice(0, MOST_FIELDS)]),
  );
  const filter = { ...NO_FILTER, ...texts, ...lists };
  const isTime = (text: string) => (Number.isNaN(Date.parse(text)) ? '' : text);
  const level = KNOWN_LEVELS.includes(filter.level) ? filter.level : '';
  return { ...filter, level, from: isTime(filter.from), to: isTime(filter.to) };
}

const isField = (text: string): boolean => text.indexOf(':') > 0;

export function filterToHref(filter: LogFilter): string {
  const query = pairsOf({ ...filter }).toString();
  return query === '' ? '/logs' : `/logs?${query}`;
}

export const sameFilter = (a: LogFilter, b: LogFilter): boolean =>
  KEYS.every((key) => a[key] === b[key]) && LISTS.every((key) => a[key].join('\0') === b[key].join('\0'));

/** With one more field to have or to lack; each once. */
export const alsoField = (
  filter: LogFilter,
  list: 'field' | 'without',
  name: string,
  value: string,
): Partial<LogFilter> => ({
  [list]: [...new Set([...filter[list], `${name}:${value}`])].slice(-MOST_FIELDS),
});

export const isFiltered = (filter: LogFilter): boolean => !sameFilter(filter, NO_FILTER);

/** A range with an end does not move: there is nothing to follow. */
export const isLive = (filter: LogFilter): boolean => filter.to === '';
