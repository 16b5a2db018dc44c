import { expect, test } from 'vitest';
import { bytes, count, milliseconds, percent, perSecond, plural, shortCount } from './number';

test.each([
  [null, '–'],
  [0, '0'],
  [4812, '4,812'],
])('count of %j is %s', (value, text) => expect(count(value)).toBe(text));

test.each([
  [undefined, '–'],
  [999, '999'],
  [1000, '1k'],
  [4812, '4.8k'],
  [12_300, '12k'],
  [999_960, '1M'],
  [1_250_000, '1.3M'],
])('%j in short is %s', (value, text) => expect(shortCount(value)).toBe(text));

test.each([
  [null, '–'],
  [97, '97 %'],
  [99.84, '99.8 %'],
  [99.99, '99.9 %'],
  [100, '100 %'],
  [0, '0 %'],
])('%j percent is %s, and never rounds up to all', (value, text) => expect(percent(value)).toBe(text));

test.each([
  [0.42, '0.4 ms'],
  [84.4, '84 ms'],
  [1234, '1.2 s'],
  [12_345, '12 s'],
])('%d ms is %s', (value, text) => expect(milliseconds(value)).toBe(text));

test.each([
  [512, '512 B'],
  [1536, '1.5 KiB'],
  [67_108_864, '64 MiB'],
  [null, '–'],
])('%j bytes are %s', (value, text) => expect(bytes(value)).toBe(text));

test('rates and plurals', () => {
  expect([perSecond(0), perSecond(0.42), perSecond(214)]).toEqual(['0/s', '0.4/s', '214/s']);
  expect([plural(1, 'issue'), plural(0, 'issue'), plural(1204, 'issue')]).toEqual([
    '1 issue',
    '0 issues',
    '1,204 issues',
  ]);
});
