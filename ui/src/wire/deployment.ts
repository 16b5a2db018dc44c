import type { Timestamp } from './base';

export type Phase = 'started' | 'succeeded' | 'failed' | 'rolled_back';

export interface PullRequestRef {
  number: number;
  title: string | null;
  url: string | null;
}

export interface Deployment {
  id: string;
  revision: string;
  environment: string;
  slot: string | null;
  phase: Phase;
  started_at: Timestamp;
  ended_at: Timestamp | null;
  duration_seconds: number | null;
  pr: PullRequestRef | null;
  message: string | null;
  actor: string | null;
  run_url: string | null;
  origin_ips?: string[];
  reports?: number;
}

export interface LastDeployment extends Deployment {
  age_seconds: number;
  compare_url: string | null;
}

export interface SlotState {
  revision: string | null;
  healthy: boolean | null;
  since: Timestamp | null;
}

export interface DeployStatus {
  active_slot: string | null;
  slots: Record<string, SlotState>;
  last_deploy: LastDeployment | null;
  in_progress: Deployment | null;
  recent_deploys: Deployment[];
  total_deploys: number;
  success_rate_pct: number | null;
  origins: string[];
}
