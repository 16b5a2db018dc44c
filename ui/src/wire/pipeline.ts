import type { Timestamp } from './base';

export interface Bug {
  number: number;
  title: string;
  url: string;
  created_at: Timestamp;
}

export interface MergedPullRequest {
  number: number;
  title: string;
  revision: string | null;
  merged_at: Timestamp;
  url: string;
}

export interface Run {
  id: number;
  workflow: string;
  status: string;
  conclusion: string | null;
  branch: string | null;
  event: string;
  revision: string;
  started_at: Timestamp;
  duration_seconds: number | null;
  url: string;
  title?: string;
  actor?: string | null;
  attempt?: number;
}

export interface DefaultBranch {
  name: string;
  state: string;
  since: Timestamp | null;
}

export interface ReleaseSummary {
  tag: string;
  published_at: Timestamp | null;
  url?: string | null;
}

export interface Part {
  part: string;
  reason: string;
}

/** What could not be had is null and named in `partial`. */
export interface PipelineSummary {
  repo: string;
  open_issues: number | null;
  open_prs: number | null;
  open_bugs: number | null;
  bugs: Bug[];
  last_merged_pr: MergedPullRequest | null;
  runs: Run[];
  success_rate_pct: number | null;
  default_branch: DefaultBranch | null;
  release: ReleaseSummary | null;
  rate_limit_remaining: number | null;
  fetched_at: Timestamp | null;
  age_seconds: number | null;
  partial: Part[];
}
