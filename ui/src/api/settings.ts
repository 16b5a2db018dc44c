import type {
  AuditChain,
  AuditedAct,
  Link,
  MadeLink,
  MadeToken,
  OriginCheck,
  Page,
  StorageState,
  TableHealth,
  TokenItem,
  UserItem,
} from '$wire';
import { get, patch, post, remove } from './http';

const at = (path: string, name: string) => `${path}/${encodeURIComponent(name)}`;

export const LINKS = '/api/links';
export const readLinks = (path: string, signal: AbortSignal) => get<Page<Link>>(path, signal);
export const makeLink = (link: { name: string; expires_in_days: number; origins: string[] }) =>
  post<MadeLink>(LINKS, link);
export const revokeLink = (id: string) => remove(at(LINKS, id));

export const USERS = '/api/users';
export const readUsers = (path: string, signal: AbortSignal) => get<Page<UserItem>>(path, signal);
export const addUser = (user: { user: string; password: string; role: string }) =>
  post<UserItem>(USERS, user);
export const changeUser = (user: string, change: { role?: string; password?: string; disabled?: boolean }) =>
  patch<UserItem>(at(USERS, user), change);
export const removeUser = (user: string) => remove(at(USERS, user));
export const changePassword = (change: { old: string; new: string }) =>
  post<unknown>('/api/session/password', change);

export const TOKENS = '/api/tokens';
export const readTokens = (path: string, signal: AbortSignal) => get<Page<TokenItem>>(path, signal);
export const makeToken = (token: { name: string; role: string; expires_in_days: number }) =>
  post<MadeToken>(TOKENS, token);
export const revokeToken = (id: string) => remove(at(TOKENS, id));

export const auditPath = (before: string) => `/api/audit?limit=50${before === '' ? '' : `&before=${before}`}`;
export const readAudit = (path: string, signal: AbortSignal) => get<Page<AuditedAct>>(path, signal);
export const CHAIN = '/api/audit/chain';
export const readChain = (path: string, signal: AbortSignal) => get<AuditChain>(path, signal);

export const STORAGE = '/api/storage';
export const readStorage = (path: string, signal: AbortSignal) => get<StorageState>(path, signal);
export const HEALTH = '/healthz';
export const readHealth = (path: string, signal: AbortSignal) => get<TableHealth>(path, signal);

export const checkOrigin = (origin: string) =>
  post<OriginCheck>(`/api/origins/${encodeURIComponent(origin)}/check`, {});
