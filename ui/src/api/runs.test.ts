import { expect, test } from 'vitest';
import { failedRunPath } from './runs';

test.each([
  ['https://github.com/acme/rocket/actions/runs/42', '/api/origins/hel1/github/actions/runs/42/jobs'],
  [
    'https://github.com/acme/rocket/actions/runs/42/attempts/2',
    '/api/origins/hel1/github/actions/runs/42/jobs',
  ],
  ['https://ci.example.org/job/42', ''],
  ['https://github.com/acme/rocket/actions/runs/42x', ''],
  ['javascript:alert(1)', ''],
  ['', ''],
])('the jobs of %s are at %s', (url, path) => expect(failedRunPath('hel1', url)).toBe(path));
