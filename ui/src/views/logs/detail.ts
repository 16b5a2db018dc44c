import type { LogRow } from '$wire';
import { fieldText } from '$format/log-line';
import { alsoField, only, type LogFilter } from '$state/log-filter';

export interface DetailField {
  name: string;
  value: string;
  /** What filters for this value, and what filters it out; null where nothing can. */
  filter: Partial<LogFilter> | null;
  out: Partial<LogFilter> | null;
}

/** The table cuts what is longer. */
const LONGEST = 400;

/** Everything in a record, what the line already shows first. */
export function detailFields(row: LogRow, filter: LogFilter): DetailField[] {
  const can = (name: string, value: string) => value !== '' && `${name}:${value}`.length <= LONGEST;
  const field = (name: string, value: string, instead?: Partial<LogFilter>): DetailField => ({
    name,
    value,
    filter: can(name, value) ? (instead ?? alsoField(filter, 'field', name, value)) : null,
    out: can(name, value) ? alsoField(filter, 'without', name, value) : null,
  });
  const { request_id = null, trace_id = null } = row;
  const own: DetailField[] = [
    { name: 'ts', value: row.ts, filter: null, out: null },
    field('level', row.level),
    field('source', row.source, { source: row.source }),
    field('message', row.message),
    field('logger', row.logger),
    field('request_id', request_id ?? '', only({ request_id: request_id ?? '' })),
    field('trace_id', trace_id ?? '', only({ trace_id: trace_id ?? '' })),
    ...(['service', 'deployment', 'revision', 'severity'] as const).map((name) =>
      field(name, row[name] ?? ''),
    ),
  ];
  const taken = new Set(own.map((one) => one.name));
  const more = Object.entries(row.fields ?? {})
    .filter(([name, value]) => !taken.has(name) && value !== null)
    .map(([name, value]) => field(name, fieldText(value)));
  return [...own.filter((one) => one.value !== ''), ...more];
}
