import { expect, test } from 'vitest';
import type { SeriesAnswer } from '$wire';
import { errorPcts, figuresOf, fromFirst, sorted, tableOf, type Measures } from './routes';

const at = (i: number) => `2026-11-24T10:00:0${i}Z`;
const answer = (
  series: [labels: Record<string, string>, values: (number | null)[], source?: string][],
  partial: string[] = [],
): SeriesAnswer => ({
  name: 'n',
  fn: 'rate',
  step_seconds: 1,
  series: series.map(([labels, values, source = 'table']) => ({
    labels,
    points: values.map((value, i) => ({ at: at(i), value })),
    source,
  })),
  deployments: [],
  partial,
});
const [a, b] = [{ route: '/a' }, { route: '/b' }];
const MEASURES: Measures = {
  rate: answer([
    [a, [1, 3, null]],
    [b, [10, 10, 10]],
  ]),
  errors: answer([[a, [0, 3, null]]], ['prometheus: refused']),
  p50: answer([[a, [0.1, 0.2, null]]]),
  p95: answer([
    [a, [0.2, 0.4, null]],
    [b, [0.01, 0.01, 0.01]],
  ]),
  p99: answer([[a, [0.3, 0.5, null]]]),
};

test('a row has a figure for each window, and none where nothing was measured', () => {
  const { rows, times, partial } = tableOf(MEASURES);
  expect(times).toHaveLength(3);
  expect(rows.map((row) => row.route)).toEqual(['/a', '/b']);
  expect(rows[0] && errorPcts(rows[0])).toEqual([0, 100, null]);
  expect(rows[1]?.p99).toEqual([null, null, null]);
  expect(partial).toEqual(['prometheus: refused']);
});

test('the cursor asks for one window, else the whole range is told', () => {
  const [row] = tableOf(MEASURES).rows;
  if (!row) throw new Error('no row');
  expect(figuresOf(row, 1)).toEqual({ rate: 3, errorPct: 100, p50: 0.2, p95: 0.4, p99: 0.5 });
  expect(figuresOf(row, 2)).toEqual({ rate: null, errorPct: null, p50: null, p95: null, p99: null });
  expect(figuresOf(row, null)).toMatchObject({ rate: 2, errorPct: 75 });
});

test.each([
  ['', ['/b', '/a']],
  ['errors', ['/a', '/b']],
  ['slow', ['/a', '/b']],
] as const)('sorted by %s', (by, routes) =>
  expect(sorted(tableOf(MEASURES).rows, by, '').map((row) => row.route)).toEqual(routes),
);

test('what Prometheus has too is not counted twice', () => {
  const rate = answer([
    [a, [1, 1, 1]],
    [a, [5, 5, 5], 'prometheus'],
    [b, [2, 2, 2], 'prometheus'],
  ]);
  const none = answer([]);
  const { rows } = tableOf({ rate, errors: none, p50: none, p95: none, p99: none });
  expect(rows.map((row) => row.rate[0])).toEqual([1, 2]);
});

test("another program's statuses are added up to requests and errors, its milliseconds become seconds", () => {
  const status = (code: string) => ({
    service: 'shop',
    'http.route': '/c',
    'http.response.status_code': code,
  });
  const rate = answer([
    [status('200'), [3]],
    [status('500'), [1]],
  ]);
  const quantile = answer([[{ service: 'shop', 'http.route': '/c' }, [40]]]);
  const { rows } = tableOf({ rate, errors: rate, p50: quantile, p95: quantile, p99: quantile }, 0.001);
  expect(rows[0] && figuresOf(rows[0], 0)).toEqual({
    rate: 4,
    errorPct: 25,
    p50: 0.04,
    p95: 0.04,
    p99: 0.04,
  });
  expect(rows[0]?.service).toBe('shop');
});

test('the windows before the first reading are left out, and two remain', () => {
  const rate = answer([
    [a, [null, null, 4, 5]],
    [b, [null, null, null, 7]],
  ]);
  const none = answer([]);
  const table = tableOf({ rate, errors: none, p50: none, p95: none, p99: none });
  const cut = fromFirst(table);
  expect(cut.times).toEqual(table.times.slice(2));
  expect(cut.rows.map((row) => row.rate)).toEqual([
    [4, 5],
    [null, 7],
  ]);
  expect(cut.rows[0]?.p95).toHaveLength(2);
  expect(fromFirst(cut)).toBe(cut);
});
