import type { Notifications, NotifyTested } from '$wire';
import { get, post } from './http';

export const NOTIFICATIONS = '/api/notifications';
export const readNotifications = (path: string, signal: AbortSignal) => get<Notifications>(path, signal);
export const testNotification = (id: string) =>
  post<NotifyTested>(`${NOTIFICATIONS}/${encodeURIComponent(id)}/test`, {});
