import { describe, expect, it } from 'vitest';
import type { Overview } from '$wire';
import { everything, fitting, pasted, score, type Known } from './entries';

const overview = {
  origins: [
    {
      name: 'hel1',
      deploy: {
        recent_deploys: [
          {
            id: 'd1',
            revision: 'abc1234def',
            phase: 'succeeded',
            pr: { number: 7, title: 'Fewer surprises', url: null },
            message: null,
          },
        ],
      },
      pipeline: {
        repo: 'acme/rocket',
        runs: [
          {
            id: 9,
            workflow: 'CI',
            title: 'Fewer surprises',
            branch: 'main',
            revision: 'abc1234def',
            status: 'completed',
            conclusion: 'success',
          },
        ],
      },
    },
  ],
} as unknown as Overview;
const known = (more: Partial<Known> = {}): Known => ({
  overview,
  findings: [],
  operates: true,
  recent: [],
  places: [
    { label: 'Logs', href: '/logs', key: 'l' },
    { label: 'Deployments', href: '/deployments', key: 'd' },
  ],
  ...more,
});
const titles = (text: string, more: Partial<Known> = {}) =>
  fitting(text, known(more)).map((one) => one.title);

describe('what is offered', () => {
  it('has screens, origins, acts, deployments and runs', () => {
    const groups = new Set(everything(known()).map((one) => one.group));
    expect([...groups]).toEqual(['Go to', 'Origins', 'Act', 'Deployments', 'Workflow runs']);
  });
  it('has no acts for a viewer', () => {
    expect(everything(known({ operates: false })).filter((one) => one.act)).toEqual([]);
  });
  it('begins with the last searches', () => {
    expect(titles('', { recent: ['needle'] })[0]).toBe('needle');
  });
  it('has ids that are all different', () => {
    const ids = everything(known({ recent: ['a', 'b'] })).map((one) => one.id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('what fits', () => {
  it('has the start of a title before the middle of another', () => {
    expect(titles('dep')[0]).toBe('Deployments');
  });
  it('needs every word', () => {
    const entry = { id: 'x', group: 'Act', title: 'Warm the cache of hel1' };
    expect(score('cache hel1', entry)).toBeGreaterThan(0);
    expect(score('cache nbg1', entry)).toBe(0);
  });
  it('always offers to search the logs', () => {
    expect(titles('nothing of that kind').at(-1)).toBe('Search the logs for “nothing of that kind”');
  });
});

describe('what was pasted', () => {
  const kinds = (text: string) => pasted(text, overview).map((one) => one.id.replace(/-.*/, ''));
  it('knows a trace, a request and a revision', () => {
    expect(kinds('4bf92f3577b34da6a3ce929d0e0e4736')).toEqual(['trace', 'request', 'search']);
    expect(kinds('abc1234')).toEqual(['revision', 'search']);
    expect(kinds('0ec5f06dd45d433768591090')).toEqual(['request', 'search']);
    expect(kinds('just words')).toEqual(['search']);
    expect(kinds('  ')).toEqual([]);
  });
  it('leads a revision to its deployment', () => {
    expect(pasted('abc1234d', overview)[0]?.href).toBe('/deployments/hel1/d1');
  });
  it('escapes what goes into an address', () => {
    expect(pasted('a&b=c#', overview)[0]?.href).toBe('/logs?grep=a%26b%3Dc%23');
  });
});
