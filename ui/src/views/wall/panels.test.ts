import { describe, expect, it } from 'vitest';
import type { Wall, WallDeployment, WallFinding, WallOrigin } from '$wire';
import { alarmOf, branchNow, lastDeployment, panelsOf, trafficNow } from './panels';

const AT = '2026-11-01T12:00:00Z';
const finding = (id: string, severity: WallFinding['severity'] = 'warning'): WallFinding => ({
  id,
  severity,
  title: id,
  origin: 'hel1',
  since: AT,
});
const origin = (name: string, more: Partial<WallOrigin> = {}): WallOrigin => ({
  name,
  state: 'up',
  reason: null,
  demonstration: false,
  repo: null,
  branch: null,
  branch_state: null,
  branch_since: null,
  slots: [],
  last: null,
  latency_ms: null,
  hit_rate_pct: null,
  uptime_24h_pct: null,
  uptime_bars: [],
  traffic: null,
  ...more,
});
const wall = (more: Partial<Wall> = {}): Wall => ({
  at: AT,
  version: '1',
  findings: [],
  good_since: AT,
  origins: [],
  changes: [],
  errors_last_5_min: 0,
  ...more,
});
const deployment = (started_at: string, phase = 'succeeded', stuck = false): WallDeployment => ({
  origin: 'hel1',
  revision: 'a'.repeat(40),
  environment: 'production',
  slot: 'blue',
  phase,
  what: null,
  pr_number: null,
  actor: null,
  started_at,
  ended_at: null,
  stuck,
});
const live = { fresh: { kind: 'live' as const, text: '' }, lostMs: 0, refused: false };
const gone = (lostMs: number) => ({ ...live, fresh: { kind: 'reconnecting' as const, text: '' }, lostMs });

describe('what is shown in turn', () => {
  it('says that all is good when nothing is wrong', () => {
    expect(panelsOf(wall())).toEqual([{ kind: 'findings', findings: [], more: 0 }]);
  });
  it('leaves out what there is nothing of', () => {
    const kinds = panelsOf(wall({ origins: [origin('a')] })).map((one) => one.kind);
    expect(kinds).toEqual(['findings', 'origins']);
  });
  it('spreads what does not fit over several', () => {
    const many = Array.from({ length: 9 }, (_, i) => origin(`o${i}`));
    const pages = panelsOf(wall({ origins: many })).filter((one) => one.kind === 'origins');
    expect(pages.map((one) => one.origins.length)).toEqual([4, 4, 1]);
  });
  it('shows only what is wrong while something is critical, and how much more there is', () => {
    const findings = [finding('a', 'critical'), ...Array.from({ length: 6 }, (_, i) => finding(`w${i}`))];
    const panels = panelsOf(wall({ findings, origins: [origin('a')] }));
    expect(panels.map((one) => one.kind)).toEqual(['findings', 'findings']);
    expect(panels.map((one) => (one.kind === 'findings' ? one.more : 0))).toEqual([2, 0]);
  });
});

describe('the edge', () => {
  it.each([
    [wall(), 'none'],
    [null, 'none'],
    [wall({ findings: [finding('w')] }), 'warning'],
    [wall({ findings: [finding('i', 'info')] }), 'none'],
    [wall({ findings: [finding('c', 'critical')] }), 'critical'],
  ])('says how bad it is', (shown, alarm) => expect(alarmOf(shown, live)).toBe(alarm));
  it('waits a moment before it says that the connection is lost', () => {
    expect(alarmOf(wall(), gone(1_000))).toBe('none');
    expect(alarmOf(wall(), gone(10_000))).toBe('lost');
    expect(alarmOf(wall(), { ...live, fresh: { kind: 'stale', text: '' } })).toBe('lost');
  });
  it('says that a link is dead before anything else', () => {
    expect(alarmOf(wall(), { ...gone(99_999), refused: true })).toBe('refused');
  });
});

describe('figures of all origins', () => {
  const traffic = (requests: (number | null)[], errors: (number | null)[]) => ({
    step_seconds: 60,
    requests,
    errors,
  });
  it('adds up the last step that was measured', () => {
    const both = [
      origin('a', { traffic: traffic([1, 6, null], [0, 3, null]) }),
      origin('b', { traffic: traffic([4], [0]) }),
      origin('c'),
    ];
    expect(trafficNow(both)).toEqual({ rate: 10, errorPct: 30 });
  });
  it('says nothing where nothing was measured', () => {
    expect(trafficNow([origin('a')])).toEqual({ rate: null, errorPct: null });
  });
  it('has a red branch before a green one', () => {
    const states = ['green', 'red', 'running'].map((state) => origin(state, { branch_state: state }));
    expect(branchNow(states)?.name).toBe('red');
    expect(branchNow([origin('a')])).toBeNull();
  });
  it('has the deployment that is on its way before a newer one that ended, unless it is stuck', () => {
    const ended = origin('a', { last: deployment('2026-11-01T12:00:00Z') });
    const running = origin('b', { last: deployment('2026-11-01T11:00:00Z', 'started') });
    const stuck = origin('c', { last: deployment('2026-11-01T10:00:00Z', 'started', true) });
    expect(lastDeployment([ended, running, stuck])?.phase).toBe('started');
    expect(lastDeployment([ended, stuck])?.phase).toBe('succeeded');
    expect(lastDeployment([])).toBeNull();
  });
});
