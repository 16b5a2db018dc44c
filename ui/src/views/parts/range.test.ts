import { expect, test } from 'vitest';
import { asQuery, boundsOf, moves, rangeParams, shareOf } from './range';

const params = (query: string) => {
  const search = new URLSearchParams(query);
  return rangeParams((name) => search.get(name) ?? '');
};
const NOW = Date.parse('2026-11-24T10:00:00Z');

test.each([
  ['', '1h'],
  ['last=6h', '6h'],
  ['last=for-ever', '1h'],
  ['from=yesterday&to=today', '1h'],
  ['from=2026-11-24T09:00:00Z&to=2026-11-24T08:00:00Z', '1h'],
])('%s looks at the last %s', (query, last) => {
  expect(params(query)).toEqual({ last, from: '', to: '' });
  expect(moves(params(query))).toBe(true);
});

test('a range with both ends stands still', () => {
  const range = params('from=2026-11-24T08:00:00Z&to=2026-11-24T09:00:00Z&last=6h');
  expect(moves(range)).toBe(false);
  expect(asQuery(boundsOf(range, NOW))).toEqual({
    from: '2026-11-24T08:00:00.000Z',
    to: '2026-11-24T09:00:00.000Z',
  });
});

test('the last hour ends now', () => {
  const bounds = boundsOf(params(''), NOW);
  expect(bounds).toEqual({ from: NOW - 3_600_000, to: NOW });
  expect(shareOf('2026-11-24T09:30:00Z', bounds)).toBe(0.5);
  expect(shareOf('2026-11-24T08:30:00Z', bounds)).toBeNull();
});
