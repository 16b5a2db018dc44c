import { describe, expect, test } from 'vitest';
import { ago, absolute, clockMillis, duration, secondsSince, shortDuration } from './time';

const NOW = Date.parse('2026-11-23T10:00:00Z');
const before = (seconds: number) => new Date(NOW - seconds * 1000).toISOString();

test.each([
  [0, '0 s'],
  [-5, '0 s'],
  [47.9, '47 s'],
  [60, '1 m'],
  [192, '3 m 12 s'],
  [7_440, '2 h 4 m'],
  [7_200, '2 h'],
  [273_600, '3 d 4 h'],
  [5_529_600, '64 d'],
])('%d seconds last %s', (seconds, text) => expect(duration(seconds)).toBe(text));

test.each([
  [0, '0 s'],
  [59.9, '59 s'],
  [60, '1 min'],
  [3_599, '59 min'],
  [3_600, '1 h'],
  [172_799, '47 h'],
  [172_800, '2 d'],
])('%d seconds are %s in short', (seconds, text) => expect(shortDuration(seconds)).toBe(text));

describe('ago', () => {
  test.each([
    [-30, 'just now'],
    [1.5, 'just now'],
    [12, '12 s ago'],
    [250, '4 min ago'],
    [7_300, '2 h ago'],
    [300_000, '3 d ago'],
  ])('%d seconds before now is %s', (seconds, text) => expect(ago(before(seconds), NOW)).toBe(text));

  test('is empty for what is no time', () => expect(ago('soon', NOW)).toBe(''));
});

test('a time in the future was no seconds ago', () => expect(secondsSince(before(-10), NOW)).toBe(0));

test('absolute times are local and sort as text', () => {
  expect(absolute('2026-11-23T10:12:59.218Z')).toMatch(
    /^2026-11-2\d \d\d:\d2:59$|^2026-11-2\d \d\d:\d\d:59$/,
  );
  expect(absolute('not a time')).toBe('not a time');
});

test('log lines show milliseconds', () =>
  expect(clockMillis('2026-11-23T10:12:59.218Z')).toMatch(/:59\.218$/));
