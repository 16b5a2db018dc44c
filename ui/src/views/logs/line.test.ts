import { expect, test } from 'vitest';
import type { LogRow } from '$wire';
import { barRange, bySeverity, chartRange } from './chart';
import { markText, plainText, shownParts } from './line';

const row = (more: Partial<LogRow>): LogRow => ({
  id: 1,
  ts: '2026-11-23T10:12:59.218Z',
  level: 'info',
  source: 'hel1/blue',
  message: 'ready',
  logger: 'l',
  kind: 'log',
  ...more,
});

test.each<[Partial<LogRow>, string | null]>([
  [{}, null],
  [{ kind: 'log' }, null],
  [{ kind: 'gap', message: '', fields: { missed: 1204 } }, 'gap: 1,204 records not held'],
  [
    { kind: 'gap', message: '7 records of hel1 were gone', fields: { missed: 7 } },
    'gap: 7 records of hel1 were gone',
  ],
  [
    { kind: 'restart', message: 'hel1 restarted', fields: { version: '0.2.0' } },
    'hel1 restarted, version 0.2.0',
  ],
  [{ kind: 'restart', message: '' }, 'hel1/blue restarted'],
])('%j is marked %j', (more, text) => expect(markText(row(more))).toBe(text));

test("a line has a terminal's colours, and what was sought marked in them", () =>
  expect(shownParts('\\u001b[31mpanic: a\nb', 'a', 600)).toEqual([
    { text: 'p', match: false, look: 'ansi-red' },
    { text: 'a', match: true, look: 'ansi-red' },
    { text: 'nic: ', match: false, look: 'ansi-red' },
    { text: 'a', match: true, look: 'ansi-red' },
    { text: '⏎b', match: false, look: 'ansi-red' },
  ]));

test('a record is copied as one harmless line', () =>
  expect(plainText(row({ message: 'a\x1b[2J\nb\x07', fields: { slot: 'blue' } }))).toBe(
    '2026-11-23T10:12:59.218Z INFO hel1/blue a⏎b⟨BEL⟩ slot=blue',
  ));

test('levels that are not known are calm, and every record is counted', () =>
  expect(bySeverity({ info: 3, strange: 2, warning: 1, error: 1, critical: 1 })).toEqual([5, 1, 2]));

test('bars are times', () => {
  const data = {
    width_seconds: 10,
    buckets: [
      { at: '2026-11-23T10:00:00Z', counts: {} },
      { at: '2026-11-23T10:00:10Z', counts: {} },
    ],
  };
  expect(barRange(data, 0, 1)).toEqual({ from: '2026-11-23T10:00:00.000Z', to: '2026-11-23T10:00:20.000Z' });
  expect(chartRange(data)).toEqual({
    from: Date.parse('2026-11-23T10:00:00Z'),
    to: Date.parse('2026-11-23T10:00:20Z'),
  });
  expect(chartRange({ width_seconds: 1, buckets: [] })).toBeNull();
});
