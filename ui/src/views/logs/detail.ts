import type { LogRow } from '$wire';
import { fieldText } from '$format/log-line';
import { only, type LogFilter } from '$state/log-filter';

export interface DetailField {
  name: string;
  value: string;
  /** What filters for this value; null where nothing can. */
  filter: Partial<LogFilter> | null;
}

/** Longer values are no use as a filter on text. */
const LONGEST_GREP = 200;

const grepFor = (value: string): Partial<LogFilter> | null =>
  value === '' || value.length > LONGEST_GREP || value.includes('\n') ? null : { grep: value };

/** Everything in a record, what the line already shows first. */
export function detailFields(row: LogRow): DetailField[] {
  const own: DetailField[] = [
    { name: 'ts', value: row.ts, filter: null },
    { name: 'level', value: row.level, filter: { level: row.level } },
    { name: 'source', value: row.source, filter: { source: row.source } },
    { name: 'message', value: row.message, filter: grepFor(row.message) },
    { name: 'logger', value: row.logger, filter: null },
    { name: 'request_id', value: row.request_id ?? '', filter: only({ request_id: row.request_id ?? '' }) },
    { name: 'trace_id', value: row.trace_id ?? '', filter: only({ trace_id: row.trace_id ?? '' }) },
  ];
  const taken = new Set(own.map((field) => field.name));
  const more = Object.entries(row.fields ?? {})
    .filter(([name, value]) => !taken.has(name) && value !== null)
    .map(([name, value]) => ({ name, value: fieldText(value), filter: grepFor(fieldText(value)) }));
  return [...own.filter((field) => field.value !== ''), ...more];
}
