import { expect, test } from 'vitest';
import type { LogRow, Overview } from '$wire';
import { chartMarks, deployMarks, withMarks } from './marks';

const at = (second: number) => new Date(Date.UTC(2026, 10, 23, 10, 0, second)).toISOString();
const row = (id: number, second: number, kind = 'log'): LogRow => ({
  id,
  ts: at(second),
  level: 'info',
  source: 's',
  logger: '',
  message: '',
  kind,
});
const deploy = { id: 'd1', revision: 'abcdef0123', slot: 'green', phase: 'failed', pr: { number: 7 } };
const overview = {
  origins: [
    { name: 'hel1', deploy: { recent_deploys: [{ ...deploy, started_at: at(15), ended_at: at(40) }] } },
    { name: 'nbg1', deploy: null },
  ],
} as unknown as Overview;

test('a deployment is marked where it began and where it ended', () => {
  const marks = deployMarks(overview, '');
  expect(marks.map((mark) => mark.text)).toEqual([
    'deploying abcdef0 (#7) to hel1/green',
    'deployment failed: abcdef0 (#7) to hel1/green',
  ]);
  const rows = [row(1, 10), row(2, 20), row(3, 30)];
  const kinds = (live: boolean) => withMarks(rows, marks, live).map((one) => (one.id < 0 ? 'mark' : one.id));
  expect(kinds(false)).toEqual([1, 'mark', 2, 3]);
  expect(kinds(true)).toEqual([1, 'mark', 2, 3, 'mark']);
  expect(withMarks(rows, deployMarks(overview, ''), true).at(1)?.id).toBe(
    withMarks(rows, marks, true).at(1)?.id,
  );
});

test('only deployments of what is looked at are marked', () => {
  expect(deployMarks(overview, 'nbg1')).toEqual([]);
  expect(deployMarks(overview, 'hel1:edge')).toHaveLength(2);
  expect(deployMarks(null, '')).toEqual([]);
  const rows = [row(1, 50)];
  expect(withMarks(rows, deployMarks(overview, ''), true)).toBe(rows);
});

test('the chart has one mark for each kind and moment', () => {
  const range = { from: Date.parse(at(10)), to: Date.parse(at(30)) };
  const marks = chartMarks(range, deployMarks(overview, ''), [
    row(1, 20, 'restart'),
    row(2, 20, 'gap'),
    row(3, 20, 'restart'),
  ]);
  expect(marks.map(({ at, kind }) => [at, kind])).toEqual([
    [0.25, 'deploy'],
    [0.5, 'restart'],
    [0.5, 'gap'],
  ]);
  expect(marks[1]?.title.split('\n')).toHaveLength(2);
  expect(chartMarks(null, [], [])).toEqual([]);
});
