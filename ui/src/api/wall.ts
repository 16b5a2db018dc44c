import { Stream, type StreamOptions } from './stream';

/** What the wall shows, for whoever has the link: its token and nothing else goes along, no session either. */
export const wallStream = (token: string, options: Omit<StreamOptions, 'url' | 'fetch'>): Stream =>
  new Stream({
    ...options,
    url: () => '/api/wall/stream',
    fetch: (url, init) =>
      fetch(url, {
        ...init,
        credentials: 'omit',
        headers: { Accept: 'text/event-stream', Authorization: `Bearer ${token}` },
      }),
  });
