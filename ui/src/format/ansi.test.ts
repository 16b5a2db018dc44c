import { describe, expect, test } from 'vitest';
import { parseAnsi, withoutAnsi } from './ansi';

const E = '\x1b';

test.each<[string, string, [string, string][]]>([
  ['plain text', 'GET /a 200', [['GET /a 200', '']]],
  [
    'a colour',
    `${E}[31mbad${E}[0m good`,
    [
      ['bad', 'ansi-red'],
      [' good', ''],
    ],
  ],
  [
    'a colour as a record spells it',
    '\\u001b[1;32mok\\u001b[m.',
    [
      ['ok', 'ansi-green bold'],
      ['.', ''],
    ],
  ],
  [
    'bright colours are the same ones',
    `${E}[91mx${E}[39my`,
    [
      ['x', 'ansi-red'],
      ['y', ''],
    ],
  ],
  [
    'colours of 256 and of many',
    `${E}[38;5;4ma${E}[38;2;1;2;3mb${E}[48;5;1;3mc`,
    [
      ['a', 'ansi-blue'],
      ['b', ''],
      ['c', 'italic'],
    ],
  ],
  ['blinking, hidden, inverse and grounds are no looks', `${E}[5;8;7;41mx`, [['x', '']]],
  [
    'clearing the screen and moving',
    `a${E}[2J${E}[1;1Hb\x9b31mc`,
    [
      ['ab', ''],
      ['c', 'ansi-red'],
    ],
  ],
  ['a title', `${E}]0;owned\x07shown`, [['shown', '']]],
  ['a link', `${E}]8;;javascript:alert(1)${E}\\click${E}]8;;${E}\\!`, [['click!', '']]],
  ['the clipboard', `${E}]52;c;cm0gLXJm\x9cshown`, [['shown', '']]],
  ['a command without an end hides nothing', `${E}]0;all of this`, [['0;all of this', '']]],
  ['half a colour hides nothing', `a${E}[31`, [['a31', '']]],
  ['nothing but commands', `${E}[0m`, [['', '']]],
])('%s', (_, text, parts) => expect(parseAnsi(text).map((one) => [one.text, one.look])).toEqual(parts));

test('text without its commands', () => expect(withoutAnsi(`${E}[31mGET${E}[0m /a`)).toBe('GET /a'));

describe('hostile text', () => {
  const KIB = 1024;
  test.each([
    ['ten thousand colours', `${E}[31mx${E}[32my`.repeat(10_000)],
    ['commands without end', `${E}]8;;`.repeat(50_000)],
    ['colours without end', `${E}[${'1;'.repeat(200)}`.repeat(500)],
    ['spelled out', '\\u001b]0;'.repeat(20_000)],
    ['escapes alone', E.repeat(200_000)],
  ])('%s is read in a millisecond a KiB, in few parts', (_, text) => {
    const took = [1, 2, 3].map(() => {
      const began = performance.now();
      expect(parseAnsi(text).length).toBeLessThan(300);
      return performance.now() - began;
    });
    expect(Math.min(...took)).toBeLessThan((20 * text.length) / KIB); // usually below 1 ms for each; a quadratic one takes seconds
  });
});
