import { describe, expect, test } from 'vitest';
import { EventParser, type ServerEvent } from './sse';

const bytes = (text: string) => new TextEncoder().encode(text);
const parse = (...chunks: (string | Uint8Array)[]): ServerEvent[] => {
  const parser = new EventParser();
  return chunks.flatMap((chunk) => parser.push(typeof chunk === 'string' ? bytes(chunk) : chunk));
};
const data = (...chunks: (string | Uint8Array)[]) => parse(...chunks).map((event) => event.data);

describe('lines', () => {
  test.each([
    ['LF', 'data: a\n\ndata: b\n\n'],
    ['CR', 'data: a\r\rdata: b\r\r'],
    ['CRLF', 'data: a\r\n\r\ndata: b\r\n\r\n'],
    ['all three', 'data: a\r\n\rdata: b\n\r\n'],
  ])('may end with %s', (_, text) => expect(data(text)).toEqual(['a', 'b']));

  test('a CRLF cut between two chunks is one line end', () =>
    expect(data('data: a\r', '\ndata: b\r', '\n\r', '\n')).toEqual(['a\nb']));

  test('an event that ends with CR is not held back until the next byte', () =>
    expect(data('data: a\r\r')).toEqual(['a']));

  test('any cut gives the same events', () => {
    const whole = bytes('\uFEFFid: 1\r\ndata: h\u00e9 \u{1F525}\r\n\r\nevent: x\rdata\r\rdata:  two\n\n');
    const expected = parse(whole);
    expect(expected.map((event) => event.data)).toEqual(['hé 🔥', '', ' two']);
    for (let cut = 0; cut <= whole.length; cut++)
      expect(parse(whole.slice(0, cut), whole.slice(cut))).toEqual(expected);
    expect(parse(...Array.from(whole, (byte) => Uint8Array.of(byte)))).toEqual(expected);
  });

  test('only the first byte order mark is dropped', () => {
    expect(data('\uFEFFdata: 1\n\n\uFEFFdata: 2\n\ndata: 3\n\n')).toEqual(['1', '3']);
  });
});

describe('fields', () => {
  test.each([
    ['several data lines are joined', 'data:YHOO\ndata:+2\ndata:10\n\n', ['YHOO\n+2\n10']],
    ['one leading space is removed', 'data:test\n\ndata: test\n\ndata:  x\n\n', ['test', 'test', ' x']],
    ['an empty data field is an event', 'data\n\ndata\ndata\n\ndata:', ['', '\n']],
    ['comments are skipped', ': c\n\ndata: 1\n:2\ndata:3\n\n', ['1\n3']],
    ['an unfinished block is discarded', 'data: a\n\ndata: b', ['a']],
    ['unknown fields are skipped', ' data: a\nDATA: b\ndata: c\nfoo\n\n', ['c']],
    ['a NUL in data is kept', 'data: a\0b\n\n', ['a\0b']],
  ])('%s', (_, text, expected) => expect(data(text)).toEqual(expected));

  test('the event name is for one event only', () =>
    expect(parse('event: log\ndata: 1\n\ndata: 2\n\n').map((e) => e.type)).toEqual(['log', 'message']));

  test.each([
    ['1000', 1000],
    ['1000x', null],
    ['-1', null],
    ['', null],
    ['1.5', null],
  ])('retry %j is %j', (value, expected) => {
    const parser = new EventParser();
    parser.push(bytes(`retry: ${value}\n\n`));
    expect(parser.retry).toBe(expected);
  });
});

describe('the last id', () => {
  const lastId = (text: string, before = '') => {
    const parser = new EventParser(before);
    parser.push(bytes(text));
    return parser.lastEventId;
  };
  test.each([
    ['moves with its event', 'id: 7\ndata: x\n\n', '7'],
    ['moves with a block without data', 'id: 7\n\n', '7'],
    ['does not move with an unfinished block', 'id: 7\ndata: x\n', '3'],
    ['ignores an id with NUL', 'id: 7\0\ndata: x\n\n', '3'],
    ['is reset by an empty id', 'id\ndata: x\n\n', ''],
    ['stays when the event has none', 'data: x\n\n', '3'],
  ])('%s', (_, text, expected) => expect(lastId(text, '3')).toBe(expected));

  test('values cannot forge fields', () =>
    expect(parse('data: a\ndata: id: 999\ndata: event: deploy\n\n')).toEqual([
      { type: 'message', data: 'a\nid: 999\nevent: deploy', id: '' },
    ]));
});
