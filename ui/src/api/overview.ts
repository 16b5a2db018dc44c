import type { Overview, Version } from '$wire';
import { get, getWithHeaders } from './http';

/** And by how much the table's clock is ahead of ours, in milliseconds, to half a second; null if it did not say. */
export async function readOverview(): Promise<{ body: Overview; aheadMs: number | null }> {
  const askedAt = Date.now();
  const { body, headers } = await getWithHeaders<Overview>('/api/overview');
  // `Date` is cut to whole seconds, RFC 9110 6.6.1.
  const sentAt = Date.parse(headers.get('Date') ?? '') + 500;
  return { body, aheadMs: Number.isNaN(sentAt) ? null : sentAt - (askedAt + Date.now()) / 2 };
}

export const readVersion = () => get<Version>('/api/version');
export const overviewStreamUrl = () => '/api/stream?topics=overview,findings';
