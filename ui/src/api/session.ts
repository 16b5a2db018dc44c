import type { SessionState, SignedIn } from '$wire';
import { get, post, remove } from './http';

const PATH = '/api/session';

export const readSession = () => get<SignedIn>(PATH);
export const signIn = (password: string, user: string) =>
  post<SessionState>(PATH, user === '' ? { password } : { user, password });
export const signOut = () => remove(PATH);
