import type { OriginCache, Page } from '$wire';
import { get } from './http';

const MOST_KEYS = 200;

export const cachePath = (origin = '', before = ''): string => {
  const query = new URLSearchParams({ limit: String(MOST_KEYS) });
  if (origin !== '') query.set('origin', origin);
  if (before !== '') query.set('before', before);
  return `/api/cache?${query.toString()}`;
};

export const readCaches = (path: string, signal: AbortSignal) => get<Page<OriginCache>>(path, signal);
