import { expect, test } from 'vitest';
import type { LogRow } from '$wire';
import { Held } from './held';

const rows = (...ids: number[]): LogRow[] =>
  ids.map((id) => ({ id, ts: '', level: 'info', source: 's', logger: 'l', message: '', kind: 'log' }));

test('rows are held in order and counted', () => {
  const held = new Held(10);
  held.add(rows(1, 2));
  held.add(rows(3));
  expect(held.rows.map((row) => row.id)).toEqual([1, 2, 3]);
  expect([held.count, held.endLost]).toEqual([3, false]);
});

test('too many are counted but let go, all but the newest', () => {
  const held = new Held(3);
  held.add(rows(1, 2, 3, 4));
  expect(held.rows.map((row) => row.id)).toEqual([4]);
  expect([held.count, held.endLost]).toEqual([4, true]);
});

test('a cleared one holds nothing', () => {
  const held = new Held(1);
  held.add(rows(1, 2));
  held.clear();
  expect([held.rows.length, held.count, held.endLost]).toEqual([0, 0, false]);
});
