import { expect, test } from 'vitest';
import type { LogRow, Span } from '$wire';
import { criticalPath, hintOf, linesOf, mentions } from './waterfall';

const span = (span_id: string, parent_span_id: string | null, offset_ms: number, end: number): Span => ({
  trace_id: 't',
  span_id,
  parent_span_id,
  service: 'shop',
  name: span_id,
  kind: 'internal',
  started_at: '2026-11-24T10:00:00Z',
  offset_ms,
  duration_ms: end - offset_ms,
  status: 'unset',
  status_message: '',
  attributes: {},
  resource: {},
  events: [],
  links: [],
  scope: '',
});
const log = (id: number, ts: string, span_id: string | null): LogRow =>
  ({ id, ts, level: 'info', source: 's', message: 'm', logger: 'l', span_id, fields: {} }) as LogRow;
const names = (spans: Span[], logs: LogRow[] = [], folded: string[] = []) =>
  linesOf({ spans, logs, started_at: '2026-11-24T10:00:00Z' }, new Set(folded)).map((line) =>
    line.kind === 'span' ? `${line.depth} ${line.span.span_id}` : `${line.depth} log ${line.row.id}`,
  );

test('spans stand below their parent, by start', () => {
  const spans = [span('a', null, 0, 10), span('b', 'a', 1, 4), span('d', 'a', 5, 9), span('c', 'b', 2, 3)];
  expect(names(spans)).toEqual(['0 a', '1 b', '2 c', '1 d']);
  expect(names(spans, [], ['b'])).toEqual(['0 a', '1 b', '1 d']);
});

test('a span whose parent is missing, is itself or is its own child is shown all the same', () => {
  expect(names([span('a', 'gone', 0, 1), span('b', 'b', 0, 1)])).toEqual(['0 a', '0 b']);
  expect(names([span('a', 'b', 0, 1), span('b', 'a', 0, 1)])).toEqual(['0 a', '1 b']);
});

test('log records stand behind their span, others at the end', () => {
  const spans = [span('a', null, 0, 10), span('b', 'a', 1, 4)];
  const logs = [
    log(1, '2026-11-24T10:00:00.002Z', 'b'),
    log(2, '2026-11-24T10:00:00.003Z', 'a'),
    log(3, '2026-11-24T10:00:00.004Z', null),
  ];
  expect(names(spans, logs)).toEqual(['0 a', '1 log 2', '1 b', '2 log 1', '0 log 3']);
});

test('the critical path is what the trace waited for', () => {
  const path = criticalPath([
    span('a', null, 0, 10),
    span('fast', 'a', 1, 4),
    span('slow', 'a', 1, 6),
    span('last', 'a', 7, 9),
  ]);
  expect(path.get('a')).toEqual([
    { from: 0, to: 1 },
    { from: 6, to: 7 },
    { from: 9, to: 10 },
  ]);
  expect(path.get('slow')).toEqual([{ from: 1, to: 6 }]);
  expect(path.get('last')).toEqual([{ from: 7, to: 9 }]);
  expect(path.has('fast')).toBe(false);
});

test('a child that outlives its parent counts until the parent ended', () => {
  const path = criticalPath([span('a', null, 0, 10), span('b', 'a', 5, 20)]);
  expect(path.get('b')).toEqual([{ from: 5, to: 10 }]);
  expect(path.get('a')).toEqual([{ from: 0, to: 5 }]);
});

test('ten thousand spans below each other are no trouble', () => {
  const deep = Array.from({ length: 10_000 }, (_, i) => span(`s${i}`, i ? `s${i - 1}` : null, i, 20_000 - i));
  expect(linesOf({ spans: deep, logs: [], started_at: null }, new Set())).toHaveLength(10_000);
  expect(criticalPath(deep).size).toBe(10_000);
});

test('a client span says what it asked, and is found by it', () => {
  const asked = {
    ...span('GET', null, 0, 1),
    attributes: { 'url.full': 'https://api.github.com/repos/a/b?page=2', 'http.response.status_code': 304 },
  };
  expect(hintOf(asked)).toBe('api.github.com/repos/a/b?page=2 304');
  expect(mentions(asked, 'REPOS/a')).toBe(true);
  expect(mentions(asked, 'pulls')).toBe(false);
});
