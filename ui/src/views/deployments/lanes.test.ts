import { expect, test } from 'vitest';
import type { PlacedDeployment } from '$wire';
import { groupsOf, lanesOf, place } from './lanes';

const at = (minute: number) => new Date(minute * 60_000).toISOString();
const ms = (minute: number) => minute * 60_000;
const WINDOW = { from: 0, to: ms(100) };

const deployed = (
  start: number,
  slot: string | null,
  more: Partial<PlacedDeployment> = {},
): PlacedDeployment => ({
  id: `d${start}`,
  revision: 'abc1234',
  environment: 'production',
  slot,
  phase: 'succeeded',
  started_at: at(start),
  ended_at: at(start + 1),
  duration_seconds: 60,
  pr: null,
  message: null,
  actor: null,
  run_url: null,
  reports: 2,
  stuck: false,
  origin: 'hel1',
  ...more,
});

const spans = (all: { from: number; to: number }[]) =>
  all.map(({ from, to }) => [from / 60_000, to / 60_000]);

test('a slot runs what was deployed to it until the next; visitors are where the last one went', () => {
  const [blue, green] = lanesOf([deployed(60, 'blue'), deployed(30, 'green'), deployed(9, 'blue')], {
    window: WINDOW,
  });
  expect([blue?.slot, green?.slot]).toEqual(['blue', 'green']);
  expect(spans(blue?.stretches ?? [])).toEqual([
    [10, 61],
    [61, 100],
  ]);
  expect(spans(blue?.live ?? [])).toEqual([
    [10, 31],
    [61, 100],
  ]);
  expect(spans(green?.live ?? [])).toEqual([[31, 61]]);
});

test('what failed never ran, and has its mark', () => {
  const [lane] = lanesOf([deployed(30, 'green', { phase: 'failed' })], { window: WINDOW });
  expect(lane?.stretches).toEqual([]);
  expect(lane?.live).toEqual([]);
  expect(lane?.marks.map(({ kind, at }) => [kind, at])).toEqual([['failed', ms(31)]]);
});

test('after a rollback visitors are back where they were', () => {
  const bad = deployed(30, 'green', {
    phase: 'rolled_back',
    ended_at: at(50),
    rolled_back: { by: 'op', reason: 'errors', at: at(50) },
  });
  const [blue, green] = lanesOf([bad, deployed(9, 'blue')], { window: WINDOW });
  expect(spans(green?.live ?? [])).toEqual([[31, 50]]);
  expect(spans(blue?.live ?? [])).toEqual([
    [10, 31],
    [50, 100],
  ]);
  expect(green?.marks.map(({ kind }) => kind)).toEqual(['deployed', 'rolled_back']);
});

test('what Caddy says about now counts more than the last deployment', () => {
  const [blue, green] = lanesOf([deployed(30, 'green')], {
    window: WINDOW,
    slots: ['blue', 'green'],
    active: 'blue',
  });
  expect(blue?.stretches).toEqual([]);
  expect(spans(blue?.live ?? [])).toEqual([[31, 100]]);
  expect(green?.live).toEqual([]);
});

test('without slots there is one lane, and what began before the window is cut', () => {
  const lanes = lanesOf([deployed(-50, null)], { window: WINDOW });
  expect(lanes.map((lane) => lane.slot)).toEqual(['']);
  expect(spans(lanes[0]?.stretches ?? [])).toEqual([[0, 100]]);
  expect(lanes[0]?.marks).toEqual([]);
});

test('origins and environments do not mix', () => {
  const groups = groupsOf([
    deployed(3, 'blue'),
    deployed(2, 'blue', { origin: 'nbg1' }),
    deployed(1, 'blue', { environment: 'staging' }),
  ]);
  expect(groups.map(({ origin, environment }) => `${origin}/${environment}`)).toEqual([
    'hel1/production',
    'nbg1/production',
    'hel1/staging',
  ]);
});

test('a place in the window is in percent', () => expect(place(ms(25), WINDOW)).toBe(25));
