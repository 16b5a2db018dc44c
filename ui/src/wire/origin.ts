import type { Timestamp } from './base';
import type { Deployment, DeployStatus } from './deployment';
import type { Findings } from './finding';
import type { Health } from './health';
import type { PipelineSummary } from './pipeline';

export interface StreamState {
  state: string;
  since: Timestamp;
  last_record_at: Timestamp | null;
  last_id: number | null;
  lag_seconds: number | null;
  error: string | null;
}

export interface OriginState {
  name: string;
  url: string;
  state: string;
  reason: string | null;
  last_contact_at: Timestamp | null;
  latency_ms: number | null;
  health: Health | null;
  deploy: DeployStatus | null;
  pipeline: PipelineSummary | null;
  stream: StreamState;
  uptime_24h_pct: number | null;
  uptime_bars: (number | null)[];
  demonstration: boolean;
}

export interface Change {
  revision: string;
  title: string;
  url: string | null;
  pr_number: number | null;
  actor: string | null;
  at: Timestamp;
  ci: string;
  ci_duration_seconds: number | null;
  ci_url: string | null;
  deployments: Deployment[];
}

export interface Overview {
  at: Timestamp;
  version: string;
  findings: Findings;
  origins: OriginState[];
  changes: Change[];
  log_rate_per_second: number;
  errors_last_5_min: number;
}

export interface SessionState {
  user: string;
  role: string;
}
