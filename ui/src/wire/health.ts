import type { Timestamp } from './base';

export interface DragonflyHealth {
  status: string;
  keys?: number | null;
  memory_bytes?: number | null;
  latency_ms?: number | null;
}

export interface CacheHealth {
  entries: number;
  bytes: number;
  hits: number;
  misses: number;
  hit_rate_pct: number | null;
}

export interface RateLimit {
  limit: number;
  remaining: number;
  reset_at: Timestamp;
  resource: string;
}

export interface GitHubHealth {
  last_success_at: Timestamp | null;
  seconds_since_success: number | null;
  rate_limit: RateLimit | null;
  authenticated: boolean;
  problem?: string | null;
}

export interface LogsHealth {
  records: number;
  oldest_id: number | null;
  newest_id: number | null;
  dropped: number;
  errors: number;
}

export interface LoopHealth {
  name: string;
  last_success_at: Timestamp | null;
  restarts: number;
  error: string | null;
}

export interface Health {
  status: string;
  version: string;
  boot: string;
  repo: string | null;
  slot: string | null;
  environment: string;
  demonstration: boolean;
  started_at: Timestamp;
  uptime_seconds: number;
  dragonfly: DragonflyHealth;
  cache: CacheHealth;
  github: GitHubHealth;
  logs: LogsHealth;
  streams: number;
  panics: number;
  loops: LoopHealth[];
}

export interface Version {
  chimney_version: string;
}
