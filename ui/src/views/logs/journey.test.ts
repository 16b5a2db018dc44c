import { expect, test } from 'vitest';
import type { LogRow } from '$wire';
import { journeyOf } from './journey';

const row = (id: number, source: string, fields: Record<string, unknown>): LogRow => ({
  id,
  ts: '2026-11-23T10:12:59.218Z',
  level: 'info',
  source,
  message: 'm',
  logger: '',
  kind: 'log',
  request_id: 'r1',
  trace_id: 't1',
  fields,
});

test('a request goes from the edge to the origin, and its ids lead on', () => {
  const request = { method: 'GET', path: '/a', status: 502, latency_ms: 12 };
  const way = journeyOf([
    row(1, 'hel1', request),
    row(2, 'hel1', { note: 'said' }),
    row(3, 'hel1:edge', request),
  ]);
  expect(way.steps.map((step) => [step.place, step.source, step.text, step.status])).toEqual([
    ['edge', 'hel1:edge', 'GET /a', 502],
    ['origin', 'hel1', 'GET /a', 502],
  ]);
  expect([way.others, way.traces, way.requests]).toEqual([1, ['t1'], ['r1']]);
});

test('nothing is known of nothing', () =>
  expect(journeyOf([])).toEqual({ steps: [], others: 0, traces: [], requests: [] }));
