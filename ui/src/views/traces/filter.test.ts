import { expect, test } from 'vitest';
import type { ListedTrace } from '$wire';
import { chartRange, dotsOf, isFiltered, queryOf } from './filter';

const read = (query: string) => {
  const params = new URLSearchParams(query);
  return queryOf((name) => params.get(name) ?? '');
};
const trace = (trace_id: string, started_at: string, errors = 0): ListedTrace => ({
  trace_id,
  started_at,
  duration_ms: 5,
  service: 'shop',
  name: 'GET /',
  status: 'unset',
  spans: 1,
  errors,
  services: { shop: 1 },
  found_in: ['table'],
});

test('what the address says wrongly filters nothing', () => {
  expect(isFiltered(read('min=fast&max=-1&status=great'))).toBe(false);
  expect(read('min=5&status=error&service=shop')).toMatchObject({
    min_duration_ms: '5',
    status: 'error',
    service: 'shop',
  });
});

test('a list that was cut is charted as far as it goes', () => {
  const range = { from: Date.parse('2026-11-24T09:00:00Z'), to: Date.parse('2026-11-24T10:00:00Z') };
  const traces = [trace('b', '2026-11-24T09:50:00Z', 1), trace('a', '2026-11-24T09:40:00Z')];
  expect(chartRange(traces, range, false)).toEqual(range);
  const cut = chartRange(traces, range, true);
  expect(dotsOf(traces, cut, '').map((dot) => [dot.x, dot.bad])).toEqual([
    [1, true],
    [0, false],
  ]);
});
