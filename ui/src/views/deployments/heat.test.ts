import { expect, test } from 'vitest';
import { heat } from './heat';

test('errors and worse are counted; one is to be seen beside a thousand', () => {
  const at = '2026-01-31T12:00:00Z';
  const parts = heat({
    width_seconds: 60,
    buckets: [
      { at, counts: { info: 9 } },
      { at, counts: { error: 1 } },
      { at, counts: { error: 999, critical: 1 } },
    ],
  });
  expect(parts.map((part) => part.count)).toEqual([0, 1, 1000]);
  expect(parts[0]?.strength).toBe(0);
  expect(parts[1]?.strength).toBeGreaterThan(0.25);
  expect(parts[2]?.strength).toBe(1);
  expect(heat(null)).toEqual([]);
});
