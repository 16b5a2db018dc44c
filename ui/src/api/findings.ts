import type { Finding, Page, PastFinding } from '$wire';
import { get, post } from './http';

export const historyPath = (before: string, limit: number): string =>
  `/api/findings/history?limit=${limit}${before === '' ? '' : `&before=${encodeURIComponent(before)}`}`;
export const readHistory = (path: string, signal: AbortSignal) => get<Page<PastFinding>>(path, signal);

/** No notifications of it for so long; 0 ends that. */
export const silence = (id: string, forSeconds: number, reason: string): Promise<Finding> =>
  post<Finding>(`/api/findings/${encodeURIComponent(id)}/silence`, {
    for_seconds: forSeconds,
    ...(reason !== '' && { reason }),
  });
