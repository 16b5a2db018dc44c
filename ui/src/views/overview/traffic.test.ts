import { expect, test } from 'vitest';
import type { OriginState } from '$wire';
import { measuredOf } from './traffic';

test('the newest figure that is known stands beside each line', () => {
  const traffic = {
    over_seconds: 45,
    rates: [2, 0.5, 0],
    error_rates_pct: [0, 6.25, null],
    p95s_ms: [80, 120, null],
  };
  const told = measuredOf({ traffic } as OriginState);
  expect(told.map(({ label, now, bad }) => [label, now, bad])).toEqual([
    ['Requests', '0/s', false],
    ['Errors', '6.2 %', true],
    ['p95', '120 ms', false],
  ]);
  expect(told[0]?.title).toBe('requests of visitors by second, over 45 s');
});

test('before two readings there is nothing', () =>
  expect(measuredOf({ traffic: null } as OriginState)).toEqual([]));
