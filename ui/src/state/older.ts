import type { LogPage } from '$api/logs';

/** `cut`: the table gave up searching for older ones; a narrower filter finds them. */
export type Older = 'idle' | 'loading' | 'failed' | 'end' | 'cut';

export const olderThan = (page: LogPage): Older => (page.next ? 'idle' : page.partial ? 'cut' : 'end');
