import type { CachedKey } from '$wire';

/** A stored response under its GitHub path: what stands before `/repos/…` is only which GitHub and which token. */
export const pathOfKey = (key: string): string => key.slice(Math.max(0, key.search(/\/(repos|orgs)\//)));

/** The path without its query: what an invalidation takes. */
export const prefixOfKey = (key: string): string => pathOfKey(key).replace(/\?.*$/, '');

/** The path one segment shorter; the path itself when it is a repository's. */
export const parentOfKey = (key: string): string => {
  const parts = prefixOfKey(key).split('/');
  return parts.length > 4 ? parts.slice(0, -1).join('/') : parts.join('/');
};

/** 0 is just validated, 1 and more is stale. */
export const shareOfLifetime = (key: CachedKey): number => {
  const lifetime = key.age_seconds + key.ttl_seconds;
  return key.ttl_seconds <= 0 ? 1 : lifetime > 0 ? key.age_seconds / lifetime : 0;
};

export const matchesFilter = (key: string, filter: string): boolean =>
  key.toLowerCase().includes(filter.trim().toLowerCase());
