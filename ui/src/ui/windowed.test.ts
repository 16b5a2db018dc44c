import { describe, expect, test } from 'vitest';
import { indexAt, topOf, totalHeight, windowOf, type Layout } from './windowed';

const plain: Layout = { count: 1000, rowHeight: 20, openIndex: -1, detailHeight: 300 };
const open: Layout = { ...plain, openIndex: 10 };

test('an open row pushes only the rows below it', () => {
  expect([topOf(open, 10), topOf(open, 11), topOf(plain, 11)]).toEqual([200, 520, 220]);
  expect([totalHeight(plain), totalHeight(open)]).toEqual([20_000, 20_300]);
});

describe('the row at', () => {
  test.each([
    [plain, 0, 0],
    [plain, 219, 10],
    [plain, -50, 0],
    [plain, 99_999, 999],
    [open, 219, 10],
    [open, 220, 10],
    [open, 519, 10],
    [open, 520, 11],
    [{ ...plain, count: 0 }, 10, 0],
  ])('(%#) is found', (layout, y, index) => expect(indexAt(layout, y)).toBe(index));

  test('every top finds its row again', () => {
    for (const layout of [plain, open])
      for (let i = 0; i < layout.count; i++) expect(indexAt(layout, topOf(layout, i))).toBe(i);
  });
});

test('only what is seen is drawn, and a little more', () => {
  expect(windowOf(plain, { top: 0, height: 200 }, 5)).toEqual([0, 16]);
  expect(windowOf(plain, { top: 2000, height: 200 }, 5)).toEqual([95, 116]);
  expect(windowOf(plain, { top: 19_800, height: 200 }, 5)).toEqual([985, 1000]);
  expect(windowOf({ ...plain, count: 0 }, { top: 0, height: 200 }, 5)).toEqual([0, 0]);
});
