import type { Edge, LogRow, Page } from '$wire';
import { get } from './http';

const of = (origin: string, path: string): string => `/api/origins/${encodeURIComponent(origin)}/${path}`;

export const edgePath = (origin: string): string => of(origin, 'edge');
export const readEdge = (path: string, signal: AbortSignal) => get<Edge>(path, signal);

export interface ProbeResult {
  at: string;
  ok: boolean;
  status: number | null;
  latency_ms: number | null;
  error: string | null;
  stage: string | null;
  certificate_days_left: number | null;
}
/** One probed address. `results` are newest first; `uptime_pct` has `1h`, `24h` and `7d`. */
export interface Probed {
  origin: string;
  url: string;
  results: ProbeResult[];
  uptime_pct: Record<string, number | null>;
  streak: { ok: boolean; count: number; since: string } | null;
}

export const historyPath = (origin: string): string => of(origin, 'health/history?limit=90');
export const readHistory = (path: string, signal: AbortSignal) => get<{ items: Probed[] }>(path, signal);

/** A request as Caddy saw it: a log record with these fields. */
export type AccessLine = Omit<LogRow, 'id' | 'fields'> & {
  id: number;
  method?: string;
  path?: string;
  host?: string;
  status?: number;
  latency_ms?: number;
  upstream?: string;
};

export const accessLogPath = (
  origin: string,
  { level, before }: { level: string; before: string },
): string => {
  const query = new URLSearchParams({ limit: '50' });
  if (level !== '') query.set('level', level);
  if (before !== '') query.set('before', before);
  return of(origin, `logs/caddy?${query.toString()}`);
};
export const readAccessLog = (path: string, signal: AbortSignal) => get<Page<AccessLine>>(path, signal);
