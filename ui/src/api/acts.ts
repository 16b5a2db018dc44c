import type { ActAnswer } from '$wire';
import { post } from './http';

export type ActName =
  | 'invalidate'
  | 'warm'
  | 'log_level'
  | 'rerun'
  | 'rerun_failed'
  | 'cancel'
  | 'approve'
  | 'dispatch'
  | 'switch'
  | 'rollback';

/** What an act takes beside its origin and its reason; docs/api.md lists it. */
export type ActFields = Record<string, string | number | boolean | string[] | Record<string, string>>;

export const act = (name: ActName, fields: ActFields): Promise<ActAnswer> =>
  post<ActAnswer>(`/api/acts/${name}`, fields);
