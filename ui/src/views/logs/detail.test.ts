import { expect, test } from 'vitest';
import type { LogRow } from '$wire';
import { NO_FILTER } from '$state/log-filter';
import { detailFields } from './detail';

const row: LogRow = {
  id: 1,
  ts: '2026-11-23T10:12:59.218Z',
  level: 'info',
  source: 'hel1',
  message: 'x'.repeat(1000),
  logger: 'l',
  kind: 'log',
  request_id: 'r1',
  fields: { status: 502, deep: { a: 'b' }, empty: '' },
};
const fields = (filter = NO_FILTER) => new Map(detailFields(row, filter).map((field) => [field.name, field]));

test('every value can be filtered for and out, but for what is too long', () => {
  const all = fields();
  expect(all.get('status')?.filter).toEqual({ field: ['status:502'] });
  expect(all.get('deep')?.out).toEqual({ without: ['deep:{"a":"b"}'] });
  expect(all.get('source')?.filter).toEqual({ source: 'hel1' });
  expect(all.get('request_id')?.filter).toEqual({ ...NO_FILTER, request_id: 'r1' });
  expect([all.get('message')?.filter, all.get('empty')?.out, all.has('trace_id')]).toEqual([
    null,
    null,
    false,
  ]);
});

test('one more is added to those that were chosen, each once', () => {
  const filter = { ...NO_FILTER, without: ['level:info', 'status:502'] };
  expect(fields(filter).get('status')?.out).toEqual({ without: ['level:info', 'status:502'] });
  expect(fields(filter).get('logger')?.out).toEqual({ without: ['level:info', 'status:502', 'logger:l'] });
});
