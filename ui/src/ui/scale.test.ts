import { expect, test } from 'vitest';
import { linePath, linearTicks, logShare, logTicks } from './scale';

test.each([
  [0, [0]],
  [Number.MIN_VALUE, [0]],
  [10, [0, 5, 10]],
  [0.7, [0, 0.5]],
  [100, [0, 50, 100]],
])('round steps to %s are %s', (highest, ticks) => expect(linearTicks(highest)).toEqual(ticks));

test('a logarithmic axis has the powers of ten in between', () => {
  expect(logTicks(0.5, 2000)).toEqual([1, 10, 100, 1000]);
  expect(logTicks(2, 8)).toEqual([]);
  expect(logShare(10, 1, 100)).toBeCloseTo(0.5);
  expect(logShare(0, 1, 100)).toBe(0);
  expect(logShare(1e9, 1, 100)).toBe(1);
});

test('a line breaks where nothing was measured', () => {
  const path = linePath(
    [1, 2, null, 3, null, 4, 5],
    (i) => i,
    (v) => v,
  );
  expect(path).toBe('M0.00 1.00L1.00 2.00M3.00 3.00h1M5.00 4.00L6.00 5.00');
});
