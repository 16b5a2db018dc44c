import type { Timestamp } from './base';

export type Severity = 'critical' | 'warning' | 'info';

export interface Evidence {
  what: string;
  value: string;
  at?: Timestamp | null;
}

export interface Finding {
  id: string;
  code: string;
  severity: Severity;
  component: string;
  origin: string | null;
  since: Timestamp;
  title: string;
  detail: string;
  evidence: Evidence[];
  remedy: string;
  act?: string | null;
}

/** Worst first. `good_since` is null while there are any. */
export interface Findings {
  items: Finding[];
  good_since: Timestamp | null;
}
