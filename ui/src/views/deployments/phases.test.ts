import { expect, test } from 'vitest';
import type { Deployment } from '$wire';
import { phasesOf } from './phases';

const one = (more: Partial<Deployment>) =>
  ({
    started_at: '2026-01-31T12:00:00Z',
    ended_at: '2026-01-31T12:01:00Z',
    duration_seconds: 60,
    ...more,
  }) as Deployment;
const said = (more: Partial<Deployment>) => phasesOf(one(more)).map(({ name, after }) => [name, after]);

test('a deployment that is under way has begun', () =>
  expect(said({ phase: 'started', ended_at: null })).toEqual([['started', null]]));

test('how it ended, and after how long', () =>
  expect(said({ phase: 'failed' })).toEqual([
    ['started', null],
    ['failed', 60],
  ]));

test('one that was rolled back ran before, and says who and why', () => {
  const back = {
    phase: 'rolled_back' as const,
    rolled_back: { by: 'op', reason: 'p95 +40 %', at: '2026-01-31T12:11:00Z' },
  };
  expect(said(back)).toEqual([
    ['started', null],
    ['succeeded', 60],
    ['rolled_back', 600],
  ]);
  expect(phasesOf(one(back)).at(-1)?.note).toBe('op: p95 +40 %');
});
