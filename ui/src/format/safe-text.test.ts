import { describe, expect, test } from 'vitest';
import { manyLines, oneLine, safeHref, shortRevision } from './safe-text';

describe('on one line', () => {
  test.each([
    ['an escape sequence', '\x1b[2J\x1b]52;c;AA\x07', '⟨ESC⟩[2J⟨ESC⟩]52;c;AA⟨BEL⟩'],
    ['NUL and DEL', 'a\0b\x7f', 'a⟨NUL⟩b⟨DEL⟩'],
    ['C1 controls', 'a\u009b31m', 'a⟨U+009B⟩31m'],
    ['a bidirectional override', 'user\u202egnp.exe', 'user⟨U+202E⟩gnp.exe'],
    ['isolates', '\u2066x\u2069', '⟨U+2066⟩x⟨U+2069⟩'],
    ['zero-width characters', 'a\u200bb\ufeffc', 'a⟨U+200B⟩b⟨U+FEFF⟩c'],
    ['tag characters', 'a\u{e0041}', 'a⟨U+E0041⟩'],
    ['a lone surrogate', 'a\ud800b', 'a\ufffdb'],
    ['line ends', 'a\r\nb\nc\rd', 'a⏎b⏎c⏎d'],
    ['Unicode line ends', 'a\u2028b', 'a⟨U+2028⟩b'],
    ['a tab', 'a\tb', 'a⇥b'],
    ['markup', '<img src=x onerror=alert(1)>', '<img src=x onerror=alert(1)>'],
    ['ordinary text of any script', 'héllo 日本語 🔥', 'héllo 日本語 🔥'],
  ])('%s shows', (_, text, shown) => expect(oneLine(text)).toBe(shown));

  test('long text is cut, also in the middle of a pair', () => {
    expect(oneLine('x'.repeat(5000), 10)).toBe(`${'x'.repeat(10)}…`);
    expect(oneLine('a🔥', 2)).toBe('a\ufffd…');
  });

  test('a megabyte takes no time', () => {
    const start = performance.now();
    oneLine('\x1b['.repeat(500_000));
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

test('on several lines, line ends and tabs stay', () =>
  expect(manyLines('a\r\n\tb\rc\x1b')).toBe('a\n\tb\nc⟨ESC⟩'));

test.each([
  ['https://github.com/o/r', 'https://github.com/o/r'],
  ['http://hel1', 'http://hel1/'],
  ['javascript:alert(1)', undefined],
  ['data:text/html,x', undefined],
  ['//no', undefined],
  [null, undefined],
])('link to %j is %j', (url, href) => expect(safeHref(url)).toBe(href));

test('a revision is seven characters', () => expect(shortRevision('abc1234def')).toBe('abc1234'));
