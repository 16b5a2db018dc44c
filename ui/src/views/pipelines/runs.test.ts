import { expect, test } from 'vitest';
import type { PlacedRun } from '$wire';
import { flaky } from './flaky';
import { checkSummary } from './checks';
import { frequency } from './figures';
import { spent } from './quota';
import { choices, factsOf, grouped, matches, median, outcomeWord, runHref, statusOf } from './runs';
import { secondsOf } from './steps';

let id = 0;
const run = (more: Partial<PlacedRun> = {}): PlacedRun => ({
  origin: 'hel1',
  repo: 'acme/rocket',
  id: (id += 1),
  workflow: 'CI',
  status: 'completed',
  conclusion: 'success',
  branch: 'main',
  event: 'push',
  revision: 'a'.repeat(40),
  started_at: new Date(1_700_000_000_000 + id * 60_000).toISOString(),
  updated_at: '2026-11-01T12:00:00Z',
  duration_seconds: 60,
  url: 'https://github.com/acme/rocket/actions/runs/1',
  title: 'Fix retry',
  actor: 'ann',
  attempt: 1,
  ...more,
});
const NONE = { repo: '', workflow: '', branch: '', status: '', text: '' };
const failed = { conclusion: 'failure' };

test.each([
  ['completed', 'success', 'passed', 'passed'],
  ['completed', 'failure', 'failed', 'failed'],
  ['completed', 'timed_out', 'failed', 'timed out'],
  ['completed', 'cancelled', 'other', 'cancelled'],
  ['completed', 'action_required', 'waiting', 'waiting'],
  ['waiting', null, 'waiting', 'waiting'],
  ['in_progress', null, 'running', 'running'],
  ['queued', null, 'running', 'queued'],
  ['<b>', '<b>', 'running', '<b>'],
])('%s/%s is %s and reads %s', (status, conclusion, is, word) => {
  expect(statusOf({ status, conclusion })).toBe(is);
  expect(outcomeWord({ status, conclusion }).word).toBe(word);
});

test('every part of the filter has to match', () => {
  const one = run({ title: 'Fix the Retry', branch: 'fix/retry', ...failed });
  expect(matches(one, NONE)).toBe(true);
  expect(matches(one, { ...NONE, text: ' retry ', branch: 'fix/retry', status: 'failed' })).toBe(true);
  expect(matches(one, { ...NONE, text: 'aaaaaaa' })).toBe(true);
  expect(matches(one, { ...NONE, repo: 'acme/pad' })).toBe(false);
  expect(matches(one, { ...NONE, workflow: 'Deploy' })).toBe(false);
  expect(matches(one, { ...NONE, text: 'nowhere' })).toBe(false);
});

test('runs are grouped by repository and workflow, in the order of their newest', () => {
  const groups = grouped([run(), run({ workflow: 'Deploy' }), run(), run({ repo: 'acme/pad' })]);
  expect(groups.map((group) => [group.repo, group.workflow, group.runs.length])).toEqual([
    ['acme/rocket', 'CI', 2],
    ['acme/rocket', 'Deploy', 1],
    ['acme/pad', 'CI', 1],
  ]);
});

test('choices come most often seen first, and nothing that is empty', () => {
  const runs = [run({ branch: 'a' }), run({ branch: 'b' }), run({ branch: 'b' }), run({ branch: null })];
  expect(choices(runs, (one) => one.branch)).toEqual(['b', 'a']);
});

test('what was cancelled or still runs is not judged', () => {
  const facts = factsOf([
    run({ duration_seconds: 10 }),
    run({ duration_seconds: 30 }),
    run(failed),
    run({ conclusion: 'cancelled' }),
    run({ status: 'in_progress', conclusion: null, duration_seconds: null }),
  ]);
  expect(facts.passedPct).toBeCloseTo(66.67, 1);
  expect(facts.medianSeconds).toBe(20);
  expect(factsOf([]).passedPct).toBeNull();
  expect(median([3, 1, 2])).toBe(2);
});

test('a run that passed at a later attempt is flaky', () => {
  const [one] = flaky([run({ attempt: 2 }), run({ revision: 'b' })]);
  expect([one?.runs.length, one?.of, one?.pct]).toEqual([1, 2, 50]);
});

test('two runs of one revision are flaky when the first failed and the later passed', () => {
  const first = run(failed);
  const second = run();
  expect(flaky([second, first])[0]?.runs).toEqual([second]);
  expect(flaky([run(failed), run({ attempt: 2, ...failed })])).toEqual([]);
  const good = run();
  expect(flaky([run(failed), good])).toEqual([]);
});

test('what runs for another reason is another story', () => {
  const night = run({ event: 'schedule', ...failed });
  expect(flaky([run(), night])).toEqual([]);
});

test('the checks of a revision are told by the worst', () => {
  const check = (status: string, conclusion: string | null) => ({
    ...failed,
    id: 1,
    name: 'x',
    html_url: null,
    status,
    conclusion,
  });
  expect(checkSummary(null)).toBeNull();
  expect(checkSummary([])).toBeNull();
  const good = check('completed', 'success');
  expect(checkSummary([good, check('completed', 'failure')])?.said.word).toBe('1 of 2 checks failed');
  expect(checkSummary([good, check('in_progress', null)])?.said.word).toBe('1 of 2 checks done');
  expect(checkSummary([good, check('completed', 'skipped')])?.said.word).toBe('2 checks passed');
});

test.each([
  [null, '–'],
  [0, 'none'],
  [2.44, '2.4 a day'],
  [12.2, '12 a day'],
  [0.4, '2.8 a week'],
  [0.08, '1 in 13 days'],
])('%s a day reads %s', (perDay, text) => expect(frequency(perDay)).toBe(text));

test('what GitHub was asked is added up from rates', () => {
  const at = '2026-11-01T12:00:00Z';
  const series = (result: string, value: number) => ({
    labels: { result },
    source: 'table',
    points: [
      { at, value },
      { at, value: null },
    ],
  });
  const told = {
    name: 'x',
    fn: 'rate',
    step_seconds: 60,
    deployments: [],
    partial: [],
    series: [series('2xx', 0.5), series('not_modified', 1), series('4xx', 0.1), series('rate_limited', 0.1)],
  };
  const found = spent(told as unknown as Parameters<typeof spent>[0]);
  expect([found.asked, found.free, found.failed]).toEqual([96, 60, 6]);
  expect(found.freePct).toBe(62.5);
});

test('a step that has not begun took no time, one that runs goes on', () => {
  const at = '2026-11-01T12:00:00Z';
  const now = Date.parse(at) + 5_000;
  expect(secondsOf({ status: 'queued', started_at: at, completed_at: null }, now)).toBeNull();
  expect(secondsOf({ status: 'in_progress', started_at: at, completed_at: null }, now)).toBe(5);
  expect(secondsOf({ status: 'completed', started_at: at, completed_at: at }, now)).toBe(0);
});

test('the address of a run survives any name', () => {
  expect(runHref({ origin: 'a/b', id: 7, repo: 'acme/rocket' })).toBe(
    '/pipelines/a%2Fb/7?repo=acme%2Frocket',
  );
});
