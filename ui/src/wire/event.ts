import type { Timestamp } from './base';

/** First event of every stream. */
export interface Hello {
  version: string;
  boot: string;
  oldest_id: number | null;
  newest_id: number | null;
}

export interface Gap {
  missed: number;
  after_id: number;
  before_id: number;
  reason: string;
}

export interface Heartbeat {
  at: Timestamp;
  newest_id: number | null;
}
