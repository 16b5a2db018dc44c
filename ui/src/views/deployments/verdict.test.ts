import { expect, test } from 'vitest';
import type { Verdict } from '$wire';
import { count, milliseconds, NONE, percent } from '$format/number';
import { rowsOf, titleOf } from './verdict';

const words = { count, milliseconds, percent, none: NONE };
const figures = {
  over_seconds: 300,
  requests: 100,
  error_rate_pct: 0.1,
  p95_ms: 84,
  new_error_groups: 0,
  restarts: 0,
};
const verdict = {
  state: 'harmful',
  after_seconds: 300,
  before: figures,
  after: { ...figures, error_rate_pct: 4, p95_ms: 80, new_error_groups: 2 },
} as unknown as Verdict;

test('what is higher in a harmful one is worse', () => {
  expect(titleOf(verdict)).toBe('Verdict after 5 m');
  expect(rowsOf(verdict, words).map((row) => [row.name, row.before, row.after, row.worse])).toEqual([
    ['requests', '100', '100', false],
    ['errors', '0.1 %', '4 %', true],
    ['p95', '84 ms', '80 ms', false],
    ['new error groups', '0', '2', true],
    ['restarts', '0', '0', false],
  ]);
});

test('without one before there is nothing to be worse than, and a pending one has no figures', () => {
  const first = rowsOf({ ...verdict, state: 'harmless', before: null }, words);
  expect(first.map((row) => [row.before, row.worse])).toEqual(Array(5).fill(['–', false]));
  expect(rowsOf({ state: 'pending' } as Verdict, words)).toEqual([]);
  expect(titleOf(null)).toBe('Verdict');
});
