import { describe, expect, it } from 'vitest';
import { settle } from '../testing/fake-clock.ts';
import { WorkQueue, type WorkResult } from './work-queue.ts';

const NEVER = Number.POSITIVE_INFINITY;

function setUp() {
  const work = new WorkQueue<WorkResult>();
  const run = async (key: string, nextDeadlineMs: number) => {
    work.start(key, () => Promise.resolve({ key, nextDeadlineMs }));
    await work.settled();
  };
  return { work, run };
}

describe('WorkQueue', () => {
  it('is due until it has run, then at the deadline of its result', async () => {
    const { work, run } = setUp();
    expect(work.isDue('a', 5)).toBe(true);
    await run('a', 10);
    work.collect(5);
    expect([work.isDue('a', 9), work.isDue('a', 10), work.nextDeadlineMs]).toEqual([false, true, 10]);
    work.addAfter('a', 7, 5);
    expect(work.nextDeadlineMs).toBe(10);
    work.addAfter('a', 3, 5);
    expect(work.nextDeadlineMs).toBe(8);
  });

  it('is not due while it is in flight; a dirty key runs once more afterwards', async () => {
    const { work } = setUp();
    const slow = Promise.withResolvers<WorkResult>();
    expect(work.start('a', () => slow.promise)).toBe(true);
    expect([work.isDue('a', 5), work.nextDeadlineMs]).toEqual([false, NEVER]);
    expect(work.start('a', () => slow.promise)).toBe(false);
    work.addAfter('b', 0, 5);
    slow.resolve({ key: 'a', nextDeadlineMs: NEVER });
    await work.settled();
    work.collect(6);
    expect([work.isDue('a', 6), work.isDue('b', 6), work.nextDeadlineMs]).toEqual([true, true, 5]);
    await settle();
    work.start('a', () => Promise.resolve({ key: 'a', nextDeadlineMs: NEVER }));
    await work.settled();
    work.collect(7);
    expect(work.isDue('a', 7)).toBe(false);
  });

  it('reports each run once, failures apart, and keeps the latest', async () => {
    const { work, run } = setUp();
    await run('a', 1);
    work.collect(0);
    work.start('b', () => Promise.reject(new Error('refused')));
    await run('a', 2);
    work.collect(0);
    expect(work.take()).toEqual({
      results: [
        { key: 'a', nextDeadlineMs: 1 },
        { key: 'a', nextDeadlineMs: 2 },
      ],
      failures: [new Error('refused')],
    });
    expect(work.take()).toEqual({ results: [], failures: [] });
    expect([...work.latest.values()]).toEqual([{ key: 'a', nextDeadlineMs: 2 }]);
  });

  it('forgets everything except what is in flight', async () => {
    const { work, run } = setUp();
    await run('a', 10);
    work.collect(0);
    const slow = Promise.withResolvers<WorkResult>();
    work.start('b', () => slow.promise);
    work.reset();
    expect([work.latest.size, work.isDue('a', 0), [...work.inFlight]]).toEqual([0, true, ['b']]);
    slow.resolve({ key: 'b', nextDeadlineMs: NEVER });
    await work.settled();
  });
});
