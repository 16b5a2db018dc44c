import { describe, expect, test } from 'vitest';
import type { LogRow } from '$wire';
import { gapMark, LogBuffer } from './log-buffer';

const row = (id: number, message = `m${id}`): LogRow => ({
  id,
  ts: '',
  level: 'info',
  source: 's',
  logger: 'l',
  message,
  kind: 'log',
});
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => row(from + i));
const ids = (buffer: LogBuffer) => buffer.rows.map((r) => r.id);
const filled = (capacity: number, from: number, to: number) => {
  const buffer = new LogBuffer(capacity);
  buffer.append(range(from, to));
  return buffer;
};

describe('new rows', () => {
  test('follow the newest', () => {
    const buffer = filled(10, 1, 3);
    buffer.append(range(4, 5));
    expect(ids(buffer)).toEqual([1, 2, 3, 4, 5]);
    expect([buffer.oldestId, buffer.newestId]).toEqual([1, 5]);
  });

  test('push out the oldest', () => {
    const buffer = filled(4, 1, 3);
    buffer.append(range(4, 6));
    expect(ids(buffer)).toEqual([3, 4, 5, 6]);
  });

  test('are kept once, however often they come', () => {
    const buffer = filled(10, 1, 4);
    buffer.append([...range(3, 6), row(5)]);
    buffer.append(range(1, 6));
    expect(ids(buffer)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('are put in order', () => {
    const buffer = filled(10, 1, 2);
    buffer.append([row(5), row(3), row(4)]);
    expect(ids(buffer)).toEqual([1, 2, 3, 4, 5]);
  });

  test('do not change what was given away', () => {
    const buffer = filled(10, 1, 2);
    const before = buffer.rows;
    buffer.append([row(3)]);
    expect(before).toHaveLength(2);
  });
});

describe('older rows', () => {
  test('come first, also newest first as the table gives them', () => {
    const buffer = filled(10, 5, 6);
    expect(buffer.prepend(range(2, 4).reverse())).toBe(false);
    expect(ids(buffer)).toEqual([2, 3, 4, 5, 6]);
  });

  test('push out the newest, and say so', () => {
    const buffer = filled(3, 5, 6);
    expect(buffer.prepend(range(2, 4))).toBe(true);
    expect(ids(buffer)).toEqual([2, 3, 4]);
  });

  test('an empty page changes nothing', () => {
    const buffer = filled(3, 1, 2);
    expect(buffer.prepend([])).toBe(false);
    expect(ids(buffer)).toEqual([1, 2]);
  });
});

describe('a gap', () => {
  const gap = gapMark({ missed: 4, after_id: 2, before_id: 7, reason: 'evicted' }, 'now');
  const withGap = () => {
    const buffer = filled(20, 1, 2);
    buffer.append([gap, ...range(7, 8)]);
    return buffer;
  };

  test('stands between the rows that it parts', () => expect(ids(withGap())).toEqual([1, 2, 2.5, 7, 8]));

  test('goes when all of it was found', () => {
    const buffer = withGap();
    buffer.fill(gap, range(3, 6).reverse(), 0);
    expect(ids(buffer)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test('says what is still missing', () => {
    const buffer = withGap();
    buffer.fill(gap, range(5, 6), 2);
    expect(ids(buffer)).toEqual([1, 2, 2.5, 5, 6, 7, 8]);
    expect(buffer.rows[2]?.fields?.missed).toBe(2);
  });

  test('that scrolled out is not filled', () => {
    const buffer = filled(20, 10, 12);
    buffer.fill(gap, range(3, 6), 0);
    expect(ids(buffer)).toEqual([10, 11, 12]);
  });
});

test('a cleared buffer is empty', () => {
  const buffer = filled(20, 1, 5);
  buffer.clear();
  expect([buffer.rows.length, buffer.oldestId, buffer.newestId]).toEqual([0, null, null]);
});
