import type { Problem } from '$wire';

/** Status 0: no answer came at all. */
export class ApiError extends Error {
  constructor(
    readonly problem: Problem,
    /** Seconds, when the answer said so. */
    readonly retryAfter: number | null = null,
  ) {
    super(problem.detail || problem.title);
    this.name = 'ApiError';
  }

  get status(): number {
    return this.problem.status;
  }
}

const unreachable = (path: string): Problem => ({
  type: 'about:blank',
  title: 'The table does not answer',
  status: 0,
  detail: `No answer to ${path}. Its process may be down or restarting, or this device is offline.`,
  instance: '',
});

export const asApiError = (error: unknown, path: string): ApiError =>
  error instanceof ApiError ? error : new ApiError(unreachable(path));

/** The problem in an answer that is not 2xx, also when a proxy in between wrote its own page. */
export async function problemOf(response: Response, path: string): Promise<ApiError> {
  const seconds = Number(response.headers.get('Retry-After') ?? NaN);
  const plain: Problem = {
    type: 'about:blank',
    title: response.statusText || `HTTP ${response.status}`,
    status: response.status,
    detail: `${path} answered ${response.status}.`,
    instance: response.headers.get('X-Request-ID') ?? '',
  };
  const isProblem = response.headers.get('Content-Type')?.startsWith('application/problem+json') ?? false;
  const body: Partial<Problem> = isProblem ? await response.json().catch(() => ({})) : {};
  return new ApiError(
    { ...plain, ...body, status: response.status },
    Number.isFinite(seconds) ? seconds : null,
  );
}

async function call(path: string, init: RequestInit): Promise<Response> {
  const response = await fetch(path, { credentials: 'same-origin', cache: 'no-store', ...init }).catch(
    (error) => {
      if (init.signal?.aborted) throw error;
      throw asApiError(error, path);
    },
  );
  if (!response.ok) throw await problemOf(response, path);
  return response;
}

export async function getWithHeaders<T>(
  path: string,
  signal?: AbortSignal,
): Promise<{ body: T; headers: Headers }> {
  const response = await call(path, { headers: { Accept: 'application/json' }, ...(signal && { signal }) });
  return { body: (await response.json()) as T, headers: response.headers };
}

export const get = async <T>(path: string, signal?: AbortSignal): Promise<T> =>
  (await getWithHeaders<T>(path, signal)).body;

/** Null when the answer has no body. */
async function send<T>(method: 'POST' | 'PATCH', path: string, body: unknown): Promise<T> {
  const headers = { 'Content-Type': 'application/json', Accept: 'application/json' };
  const response = await call(path, { method, headers, body: JSON.stringify(body) });
  return (response.status === 204 ? null : await response.json()) as T;
}

export const post = <T>(path: string, body: unknown): Promise<T> => send<T>('POST', path, body);
export const patch = <T>(path: string, body: unknown): Promise<T> => send<T>('PATCH', path, body);

/** JSON by its content type, because the table refuses any other unsafe request. */
export async function remove(path: string): Promise<void> {
  await call(path, { method: 'DELETE', headers: { 'Content-Type': 'application/json' } });
}
