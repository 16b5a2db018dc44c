import { describe, expect, test } from 'vitest';
import { fieldText, logLine, splitByMatch } from './log-line';

describe('a log line', () => {
  test('of a request reads like one', () =>
    expect(
      logLine('GET /api/x 200', {
        method: 'GET',
        path: '/api/x',
        status: 200,
        latency_ms: 0.42,
        cache: 'hit',
        bytes: 3,
      }),
    ).toEqual({ text: 'GET /api/x', status: 200, rest: 'hit  0.4 ms' }));

  test('of anything else is its message and its fields', () =>
    expect(logLine('deployed', { slot: 'green', n: 2, stack: 'long', trace_id: 'x', none: null })).toEqual({
      text: 'deployed',
      status: null,
      rest: 'slot=green  n=2',
    }));

  test('with a status that is no number is no request', () =>
    expect(logLine('m', { method: 'GET', path: '/', status: '200' }).text).toBe('m'));
});

test.each([
  ['text', 'text'],
  [12, '12'],
  [true, 'true'],
  [{ a: [1] }, '{"a":[1]}'],
])('the field %j reads %s', (value, text) => expect(fieldText(value)).toBe(text));

describe('matches', () => {
  const marked = (text: string, needle: string) =>
    splitByMatch(text, needle)
      .map((part) => (part.match ? `[${part.text}]` : part.text))
      .join('');
  test.each([
    ['GET /pulls', 'pulls', 'GET /[pulls]'],
    ['aXa', 'A', '[a]X[a]'],
    ['aaa', 'aa', '[aa]a'],
    ['nothing', '', 'nothing'],
    ['a.b', '.', 'a[.]b'],
    ['İx', 'x', 'İx'],
  ])('in %j of %j are %s', (text, needle, shown) => expect(marked(text, needle)).toBe(shown));
});
