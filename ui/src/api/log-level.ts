import { get } from './http';

/** What an origin logs now; only what is shown. */
export interface LogLevels {
  level: string;
  configured: string;
  reverts_at: string | null;
}

export const logLevelPath = (origin: string): string =>
  `/api/origins/${encodeURIComponent(origin)}/log-level`;
export const readLogLevel = (path: string, signal: AbortSignal) => get<LogLevels>(path, signal);
