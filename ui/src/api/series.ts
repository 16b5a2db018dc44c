import type { ErrorGroup, MetricName, Page, PlacedDeployment, SeriesAnswer } from '$wire';
import { get } from './http';

export interface SeriesQuery {
  name: string;
  fn: 'rate' | 'avg' | 'max' | 'p50' | 'p95' | 'p99';
  /** Labels to keep; what is then the same is put together. */
  by: string[];
  labels?: Record<string, string>;
  from: string;
  to: string;
  /** Seconds; a round one is chosen where none is said. */
  step?: number;
}

export function readSeries({ labels, by, step, ...rest }: SeriesQuery, signal?: AbortSignal) {
  const query = new URLSearchParams({ ...rest, by: by.join(',') });
  if (step !== undefined) query.set('step', String(step));
  // As an object, because a value may have a comma.
  if (labels && Object.keys(labels).length > 0) query.set('labels', JSON.stringify(labels));
  return get<SeriesAnswer>(`/api/series?${query}`, signal);
}

export const readMetricNames = (signal?: AbortSignal) => get<Page<MetricName>>('/api/series/names', signal);

export const ERRORS = '/api/errors?limit=200';

/** Groups of errors, and the newest deployments that they may have come with. */
export async function readErrors(path: string, signal: AbortSignal) {
  const [errors, deployments] = await Promise.all([
    get<Page<ErrorGroup>>(path, signal),
    get<Page<PlacedDeployment>>('/api/deployments?limit=200', signal),
  ]);
  return { groups: errors.items, more: errors.next !== null, deployments: deployments.items };
}
