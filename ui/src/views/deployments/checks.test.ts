import { expect, test } from 'vitest';
import type { Deployment, DeployStatus, Edge } from '$wire';
import { checksOf, idleSlotWith, willHappen } from './checks';

const goal = (way_back: Deployment['way_back']) => ({ revision: 'abc12345', way_back }) as Deployment;
const status = (healthy: boolean | null, problem: string | null = null) =>
  ({
    active_slot: 'blue',
    slots: {
      blue: { revision: 'def67890', healthy: true, since: null },
      green: { revision: 'abc12345ff', healthy, since: null, problem },
    },
  }) as unknown as DeployStatus;
const reachable = { reachable: true } as Edge;

test('all three checks hold', () => {
  const checks = checksOf(goal({ possible: true, how: 'switch', slot: 'green' }), status(true), reachable);
  expect(checks.map(({ kind }) => kind)).toEqual(['ok', 'ok', 'ok']);
  expect(checks[0]?.what).toBe('slot green runs abc1234');
});

test('each check says what is wrong with it', () => {
  const refused = { reachable: false, trouble: 'refused', detail: 'nobody listens' } as Edge;
  const checks = checksOf(goal({ possible: false, why: '' }), status(false, '503 from /readyz'), refused);
  expect(checks.map(({ kind, word }) => [kind, word])).toEqual([
    ['ok', 'yes'],
    ['bad', '503 from /readyz'],
    ['bad', 'nobody listens'],
  ]);
});

test('nothing known is never fine', () => {
  const checks = checksOf(goal(null), null, null);
  expect(checks.map(({ kind }) => kind)).toEqual(['bad', 'unknown', 'unknown']);
});

test('the active slot is no way back', () => expect(idleSlotWith('def67890', status(true))).toBe(''));

test('what will happen is said before', () => {
  expect(willHappen(goal({ possible: true, how: 'switch', slot: 'green' }), 'def67890')).toBe(
    'Caddy sends visitors to slot green, which runs abc1234. def6789 is marked as rolled back, with your reason.',
  );
  expect(willHappen(goal({ possible: true, how: 'workflow' }), null)).toContain('workflow is started');
});
