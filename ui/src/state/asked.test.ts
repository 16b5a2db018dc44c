import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ApiError } from '$api/http';
import { Asked } from './asked.svelte';

const problem = (status: number) =>
  new ApiError({ type: 'x', title: 'No', status, detail: 'no', instance: 'r1' });

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const asking = (...answers: (number | ApiError)[]) => {
  const asked: string[] = [];
  const refused = vi.fn();
  const resource = new Asked<number>({
    read: async (path) => {
      asked.push(path);
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      if (answer instanceof ApiError) throw answer;
      return answer as number;
    },
    everyMs: 5_000,
    onRefused: refused,
  });
  return { resource, asked, refused };
};

test('it is asked at once and then every so often, until nobody watches', async () => {
  const { resource, asked } = asking(1, 2, 3);
  const end = resource.watch('/a');
  await vi.advanceTimersByTimeAsync(0);
  expect(resource.value).toBe(1);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(resource.value).toBe(2);
  end();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked).toEqual(['/a', '/a']);
});

test('a failure leaves the last answer, marked as stale, and is tried again sooner', async () => {
  const { resource } = asking(1, problem(503), 2);
  resource.watch('/a');
  await vi.advanceTimersByTimeAsync(5_000);
  expect([resource.value, resource.stale, resource.error?.status]).toEqual([1, true, 503]);
  await vi.advanceTimersByTimeAsync(2_000);
  expect([resource.value, resource.stale, resource.error]).toEqual([2, false, null]);
});

test('another path forgets the answer of the one before, unless it is to be kept', async () => {
  const { resource } = asking(1, 2, 3);
  resource.watch('/a');
  await vi.advanceTimersByTimeAsync(0);
  resource.watch('/b', { keep: true });
  expect(resource.value).toBe(1);
  await vi.advanceTimersByTimeAsync(0);
  resource.watch('/c');
  expect(resource.value).toBe(null);
});

test('what makes no sense is not asked again by itself; a session that is over is told', async () => {
  const { resource, asked, refused } = asking(problem(401));
  resource.watch('/a');
  await vi.advanceTimersByTimeAsync(120_000);
  expect(asked).toHaveLength(1);
  expect(refused).toHaveBeenCalledOnce();
  resource.again();
  await vi.advanceTimersByTimeAsync(0);
  expect(asked).toHaveLength(2);
});
