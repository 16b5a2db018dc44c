import type { Page, Service, Trace, TraceList } from '$wire';
import { get } from './http';

/** As the table takes them; empty strings filter nothing. Durations are milliseconds. */
export interface TraceQuery {
  service: string;
  operation: string;
  status: string;
  min_duration_ms: string;
  max_duration_ms: string;
}

export interface TracePage {
  before?: string;
  from: string;
  to: string;
  limit: number;
}

export function tracesPath(query: Partial<TraceQuery>, page: TracePage): string {
  const pairs = Object.entries({ ...query, ...page, limit: String(page.limit) });
  return `/api/traces?${new URLSearchParams(pairs.filter(([, value]) => value !== ''))}`;
}

export const readTraces = (path: string, signal?: AbortSignal) => get<TraceList>(path, signal);
export const tracePath = (id: string) => `/api/traces/${encodeURIComponent(id)}`;
export const readTrace = (path: string, signal: AbortSignal) => get<Trace>(path, signal);
export const SERVICES = '/api/services';
export const readServices = (path: string, signal?: AbortSignal) => get<Page<Service>>(path, signal);
