import { expect, test } from 'vitest';
import type { ProbeResult } from '$api/edge';
import { barsOf, certificateWord, failuresOf, saysResult } from './probed';

const result = (second: number, more: Partial<ProbeResult> = {}): ProbeResult => ({
  at: `2026-01-31T12:00:${String(second).padStart(2, '0')}Z`,
  ok: true,
  status: 200,
  latency_ms: 12,
  error: null,
  stage: null,
  certificate_days_left: null,
  ...more,
});
const refused = { ok: false, status: null, latency_ms: null, stage: 'connect', error: 'connection refused' };
const redirect = { ok: false, status: 308, stage: 'redirect', error: 'redirects to https' };

test('there are ninety bars, oldest first, the last one is the newest', () => {
  const bars = barsOf([result(2, refused), result(1)]);
  expect(bars).toHaveLength(90);
  expect(bars.slice(-3).map((bar) => bar.share)).toEqual([null, 1, 0]);
  expect(barsOf([])).toEqual([]);
});

test('failures with one cause in a row are one line', () => {
  const failures = failuresOf([
    result(6, redirect),
    result(5, refused),
    result(4, refused),
    result(3),
    result(2, refused),
  ]);
  expect(failures.map(({ stage, count }) => [stage, count])).toEqual([
    ['redirect', 1],
    ['connect', 2],
    ['connect', 1],
  ]);
  expect(failures[1]?.from).toBe(result(4).at);
});

test('a result in words', () => {
  expect(saysResult(result(1))).toBe('answered 200 in 12 ms');
  expect(saysResult(result(1, refused))).toBe('connect: connection refused');
});

test.each([
  [null, null],
  [64.9, 'ok'],
  [14, 'warn'],
  [3, 'bad'],
  [-1, 'bad'],
])('a certificate with %s days is %s', (days, kind) =>
  expect(certificateWord(days)?.kind ?? null).toBe(kind),
);
