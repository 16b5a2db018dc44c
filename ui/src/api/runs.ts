import { asApiError, get } from './http';

const MOST_JOBS = 3;
const LINES = 40;
/** What GitHub puts before each line of a log. */
const STAMP = /^\ufeff?\d{4}-\d\d-\d\dT[\d:.]+Z /;

/** A job that failed. `lines` are the end of its log; when there are none, `silence` says why. */
export interface FailedJob {
  id: number;
  name: string;
  step: string;
  url: string;
  lines: string[];
  silence: string;
}

interface Jobs {
  jobs: { id: number; name: string; conclusion: string | null; html_url: string; steps?: Step[] }[];
}
interface Step {
  name: string;
  conclusion: string | null;
}

/** The jobs of the run that an address names; '' when it names no run of GitHub Actions. */
export function failedRunPath(origin: string, runUrl: string): string {
  const run = /^https?:\/\/[^/]+\/[^/]+\/[^/]+\/actions\/runs\/([0-9]{1,19})(?:[/?#]|$)/.exec(runUrl);
  return run ? `/api/origins/${encodeURIComponent(origin)}/github/actions/runs/${run[1]}/jobs` : '';
}

const failed = (conclusion: string | null): boolean => conclusion === 'failure' || conclusion === 'timed_out';

export async function readFailedRun(path: string, signal: AbortSignal): Promise<FailedJob[]> {
  const { jobs } = await get<Jobs>(path, signal);
  const bad = jobs.filter((job) => failed(job.conclusion)).slice(0, MOST_JOBS);
  const base = path.slice(0, path.indexOf('/github/'));
  return Promise.all(
    bad.map(async (job) => ({
      id: job.id,
      name: job.name,
      url: job.html_url,
      step: job.steps?.find((step) => failed(step.conclusion))?.name ?? '',
      ...(await endOfLog(`${base}/pipeline/jobs/${job.id}/log`, signal)),
    })),
  );
}

/** A log that cannot be read hides nothing of the rest. */
async function endOfLog(path: string, signal: AbortSignal): Promise<{ lines: string[]; silence: string }> {
  try {
    const { lines } = await get<{ lines: string[] }>(path, signal);
    return {
      lines: lines.slice(-LINES).map((line) => line.replace(STAMP, '')),
      silence: 'Its log is empty.',
    };
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    return { lines: [], silence: `Its log cannot be read: ${asApiError(thrown, path).problem.detail}` };
  }
}
