interface Timed {
  status: string;
  started_at: string | null;
  completed_at: string | null;
}

/** How long a job or a step took, or has taken so far; null when it has not begun. */
export function secondsOf(one: Timed, now: number): number | null {
  if (one.started_at === null || one.status === 'queued' || one.status === 'waiting') return null;
  const start = Date.parse(one.started_at);
  const end = one.completed_at === null ? now : Date.parse(one.completed_at);
  return Number.isNaN(start) || Number.isNaN(end) ? null : Math.max(0, (end - start) / 1000);
}
