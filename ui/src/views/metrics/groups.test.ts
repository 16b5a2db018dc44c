import { expect, test } from 'vitest';
import type { ErrorGroup, PlacedDeployment } from '$wire';
import { byDeployment, isNew, lastOf, ordered } from './groups';

const deployment = (id: string, started_at: string, origin = 'hel1', phase = 'succeeded') =>
  ({ id, started_at, origin, phase }) as PlacedDeployment;
const group = (id: string, rest: Partial<ErrorGroup>): ErrorGroup => ({
  id,
  type: 'E',
  template: 't',
  source: 'hel1',
  frames: [],
  first_seen: '2026-11-24T10:30:00Z',
  last_seen: '2026-11-24T10:40:00Z',
  count: 1,
  by_deployment: {},
  first_deployment: null,
  example: {
    at: '2026-11-24T10:40:00Z',
    message: 'm',
    stack: null,
    trace_id: null,
    request_id: null,
    log_id: null,
  },
  ...rest,
});
const ALL = [
  deployment('d2', '2026-11-24T10:00:00Z'),
  deployment('d1', '2026-11-24T09:00:00Z'),
  deployment('n1', '2026-11-24T08:00:00Z', 'nbg1'),
];

test('the last deployment of each origin that took effect', () => {
  expect(lastOf(ALL).map((one) => one.id)).toEqual(['d2', 'n1']);
  expect(lastOf([])).toEqual([]);
  expect(lastOf([deployment('d3', '2026-11-24T11:00:00Z', 'hel1', 'started'), ...ALL])[0]?.id).toBe('d2');
});

test.each([
  ['first seen in the last deployment', { first_deployment: 'd2' }, true],
  ['first seen in an older one', { first_deployment: 'd1' }, false],
  ['of no known deployment, since the last one', {}, true],
  ['of no known deployment, before the last one', { first_seen: '2026-11-24T09:30:00Z' }, false],
  ['of another source, since the newest', { source: 'shop' }, true],
])('%s is new: %s', (_, rest, fresh) => expect(isNew(group('g', rest), lastOf(ALL))).toBe(fresh));

test('without any deployment nothing is new', () => expect(isNew(group('g', {}), [])).toBe(false));

test('new groups come first, then those seen last', () => {
  const groups = [
    group('old', { first_deployment: 'd1', last_seen: '2026-11-24T10:50:00Z' }),
    group('new', { first_deployment: 'd2' }),
  ];
  expect(ordered(groups, lastOf(ALL)).map(({ group, fresh }) => [group.id, fresh])).toEqual([
    ['new', true],
    ['old', false],
  ]);
});

test('counts by deployment, newest first; one that is not known keeps its id', () => {
  const counted = byDeployment(group('g', { by_deployment: { unknown: 1, d1: 2, d2: 3 } }), ALL);
  expect(counted.map(({ id, count }) => [id, count])).toEqual([
    ['d2', 3],
    ['d1', 2],
    ['unknown', 1],
  ]);
  expect(counted.at(-1)?.deployment).toBeNull();
});
