import { expect, test } from 'vitest';
import { matchesFilter, parentOfKey, pathOfKey, prefixOfKey, shareOfLifetime } from './keys';

const KEY = '/repos/acme/rocket/actions/runs?per_page=100';

test('a key is shown as its path at GitHub', () => {
  expect(pathOfKey(KEY)).toBe(KEY);
  expect(pathOfKey(`https://api.github.com${KEY}`)).toBe(KEY);
  expect(prefixOfKey(KEY)).toBe('/repos/acme/rocket/actions/runs');
  expect(parentOfKey(KEY)).toBe('/repos/acme/rocket/actions');
  expect(parentOfKey('/repos/acme/rocket')).toBe('/repos/acme/rocket');
});

const key = (age_seconds: number, ttl_seconds: number) => ({
  key: KEY,
  tier: 'memory',
  age_seconds,
  ttl_seconds,
  size_bytes: 1,
  status: 200,
  hits: 0,
});

test.each([
  [0, 30, 0],
  [15, 15, 0.5],
  [40, 0, 1],
  [0, 0, 1],
])('%s s old with %s s left is %s of its lifetime', (age, left, share) =>
  expect(shareOfLifetime(key(age, left))).toBe(share),
);

test('the filter ignores case', () => {
  expect(matchesFilter(KEY, ' ACTIONS ')).toBe(true);
  expect(matchesFilter(KEY, 'pulls')).toBe(false);
});
