import type { Overview, Version } from '$wire';
import { get, getWithClock } from './http';

export const readOverview = (signal?: AbortSignal) => getWithClock<Overview>('/api/overview', signal);
export const readVersion = () => get<Version>('/api/version');
export const overviewStreamUrl = () => '/api/stream?topics=overview,findings';
