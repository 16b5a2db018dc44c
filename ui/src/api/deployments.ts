import type { Deployment, DeploymentDetail, Page, PlacedDeployment } from '$wire';
import { get } from './http';

/** Empty strings filter nothing; `before` is the `next` of the page before. */
export interface DeploymentQuery {
  origin?: string;
  environment?: string;
  before?: string;
  limit: number;
}

export const deploymentsPath = (query: DeploymentQuery): string => {
  const pairs = Object.entries(query).filter(([, value]) => value !== '' && value !== undefined);
  return `/api/deployments?${new URLSearchParams(pairs.map(([key, value]) => [key, String(value)])).toString()}`;
};
export const readDeployments = (path: string, signal: AbortSignal) =>
  get<Page<PlacedDeployment>>(path, signal);

export const deploymentPath = (origin: string, id: string): string =>
  `/api/deployments/${encodeURIComponent(id)}?origin=${encodeURIComponent(origin)}`;
export const readDeployment = (path: string, signal: AbortSignal) => get<DeploymentDetail>(path, signal);

/** The origin's own timeline: whether one can go back is as it is now, not as it was when the table was told. */
export const timelinePath = (origin: string): string =>
  `/api/origins/${encodeURIComponent(origin)}/deploy/events?limit=500`;
export const readTimeline = (path: string, signal: AbortSignal) => get<Page<Deployment>>(path, signal);

/** What the origin answers at `deploy/diff`; only what is shown of it. */
export interface Diff {
  status: 'ahead' | 'behind' | 'diverged' | 'identical';
  ahead_by: number;
  behind_by: number;
  commits: DiffCommit[];
  pull_requests: { number: number; title: string | null; url: string | null }[];
  files: {
    path: string;
    status: string;
    additions: number;
    deletions: number;
    previous_path: string | null;
  }[];
  authors: string[];
  truncated: boolean;
  compare_url: string;
}
export interface DiffCommit {
  revision: string;
  title: string;
  author: string | null;
  at: string | null;
  url: string | null;
  pr: { number: number } | null;
}

export const diffPath = (origin: string, base: string, head: string): string =>
  `/api/origins/${encodeURIComponent(origin)}/deploy/diff?${new URLSearchParams({ base, head }).toString()}`;
export const readDiff = (path: string, signal: AbortSignal) => get<Diff>(path, signal);

/**
 * What lies between a revision and the tip of a branch. Two questions: a comparison with a branch by its name is
 * stored like one with a revision, which never changes.
 */
export async function readAhead(path: string, signal: AbortSignal): Promise<Diff> {
  const [origin = '', base = '', branch = ''] = path.split('\n');
  const newest = new URLSearchParams({ sha: branch, per_page: '1' }).toString();
  const [tip] = await get<{ sha: string }[]>(
    `/api/origins/${encodeURIComponent(origin)}/github/commits?${newest}`,
    signal,
  );
  return get<Diff>(diffPath(origin, base, tip?.sha ?? base), signal);
}
export const aheadPath = (origin: string, base: string, branch: string): string =>
  [origin, base, branch].join('\n');
