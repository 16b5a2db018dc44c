import type { Deployment } from '$wire';

export interface PhaseStep {
  name: Deployment['phase'];
  at: string;
  /** Seconds since the step before; null for the first. */
  after: number | null;
  note: string;
}

const seconds = (from: string, to: string): number => Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);

/** When what was reported, first to last. One that was rolled back had come through before. */
export function phasesOf(deployment: Deployment): PhaseStep[] {
  const { started_at, ended_at, phase, rolled_back, duration_seconds } = deployment;
  const steps: PhaseStep[] = [{ name: 'started', at: started_at, after: null, note: '' }];
  const add = (name: PhaseStep['name'], at: string, note = '') =>
    steps.push({ name, at, after: seconds(steps.at(-1)?.at ?? at, at), note });
  if (phase === 'failed' && ended_at) add('failed', ended_at);
  if (phase === 'succeeded' && ended_at) add('succeeded', ended_at);
  if (phase === 'rolled_back') {
    const at = rolled_back?.at ?? ended_at ?? started_at;
    if (duration_seconds !== null) {
      const done = new Date(Date.parse(started_at) + duration_seconds * 1000).toISOString();
      if (done < at) add('succeeded', done);
    }
    add(
      'rolled_back',
      at,
      rolled_back ? `${rolled_back.by ?? 'somebody'}: ${rolled_back.reason ?? 'nobody said why'}` : '',
    );
  }
  return steps;
}
