import type { DeliveryFigures, OriginPipeline, Page, RunsPage, SeriesAnswer } from '$wire';
import { get } from './http';

/** GitHub's, as it passes through an origin: only the fields that are used. */
export interface WorkflowRun {
  id: number;
  name: string | null;
  display_title: string;
  head_branch: string | null;
  head_sha: string;
  event: string;
  status: string;
  conclusion: string | null;
  html_url: string;
  run_attempt: number;
  run_started_at: string | null;
  created_at: string;
  updated_at: string;
  actor: { login: string } | null;
}

export interface Step {
  name: string;
  number: number;
  status: string;
  conclusion: string | null;
  started_at: string | null;
  completed_at: string | null;
}

export interface Job extends Omit<Step, 'number'> {
  id: number;
  html_url: string;
  runner_name: string | null;
  steps?: Step[];
}

export interface CheckRun {
  id: number;
  name: string;
  status: string;
  conclusion: string | null;
  html_url: string | null;
}

export interface JobLogText {
  lines: string[];
  cut: boolean;
}

/** An origin's own answer about one of its repositories; '' is its main one. */
const below = (origin: string, repo: string, path: string): string => {
  const parts = ['github', ...repo.split('/').filter(Boolean)].map(encodeURIComponent);
  return `/api/origins/${encodeURIComponent(origin)}/${parts.join('/')}/${path}`;
};

export const pipelinesPath = '/api/pipelines';
export const runsPath = (before = ''): string =>
  before === '' ? '/api/pipelines/runs' : `/api/pipelines/runs?before=${encodeURIComponent(before)}`;
export const figuresPath = (days: string): string =>
  `/api/pipelines/figures?days=${encodeURIComponent(days)}`;
export const runPath = (origin: string, repo: string, run: string): string =>
  below(origin, repo, `actions/runs/${encodeURIComponent(run)}`);
export const jobsPath = (origin: string, repo: string, run: string): string =>
  `${runPath(origin, repo, run)}/jobs?per_page=100`;
export const checksPath = (origin: string, repo: string, revision: string): string =>
  below(origin, repo, `commits/${encodeURIComponent(revision)}/check-runs?per_page=100`);
export const jobLogPath = (origin: string, repo: string, job: number): string => {
  const query = repo === '' ? '' : `?repo=${encodeURIComponent(repo)}`;
  return `/api/origins/${encodeURIComponent(origin)}/pipeline/jobs/${job}/log${query}`;
};
/** What became of an origin's requests to GitHub in the last hour, by result. */
export const spentPath = (origin: string): string =>
  `/api/series?${new URLSearchParams({
    name: 'chimney_github_requests_total',
    labels: JSON.stringify({ origin }),
    by: 'result',
    fn: 'rate',
  }).toString()}`;

export const readPipelines = (path: string, signal: AbortSignal) => get<Page<OriginPipeline>>(path, signal);
export const readRuns = (path: string, signal: AbortSignal) => get<RunsPage>(path, signal);
export const readFigures = (path: string, signal: AbortSignal) => get<DeliveryFigures>(path, signal);
export const readRun = (path: string, signal: AbortSignal) => get<WorkflowRun>(path, signal);
export const readJobs = (path: string, signal: AbortSignal) => get<{ jobs: Job[] }>(path, signal);
export const readChecks = (path: string, signal: AbortSignal) =>
  get<{ check_runs: CheckRun[] }>(path, signal);
export const readJobLog = (path: string, signal: AbortSignal) => get<JobLogText>(path, signal);
export const readSpent = (path: string, signal: AbortSignal) => get<SeriesAnswer>(path, signal);
