/** The messages that the page reads, under the names of `chimney.wire`. */
export type { Page, Timestamp } from './base';
export type {
  Deployment,
  DeployStatus,
  LastDeployment,
  Phase,
  PullRequestRef,
  SlotState,
} from './deployment';
export type { Gap, Heartbeat, Hello } from './event';
export type { Evidence, Finding, Findings, Severity } from './finding';
export type { CacheHealth, GitHubHealth, Health, RateLimit, Version } from './health';
export type { Change, OriginState, Overview, SessionState, StreamState } from './origin';
export type { Bug, DefaultBranch, Part, PipelineSummary, Run } from './pipeline';
export type { Fault, Problem } from './problem';
export type { Histogram, HistogramBucket, LogRow } from './telemetry';
