import { expect, test } from 'vitest';
import { Rate, WINDOW_MS } from './rate';

test('a rate counts the last five seconds and forgets what is older', () => {
  const rate = new Rate();
  rate.add(10, 0);
  rate.add(40, 1_000);
  expect(rate.perSecond(1_000)).toBe(10);
  expect(rate.perSecond(WINDOW_MS)).toBe(8);
  expect(rate.perSecond(WINDOW_MS + 1_000)).toBe(0);
});

test('nothing that came is no rate', () => {
  const rate = new Rate();
  rate.add(5, 0);
  rate.clear();
  expect(rate.perSecond(1)).toBe(0);
});
