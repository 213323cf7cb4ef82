import { describe, expect, it } from 'vitest';
import { settle } from '../testing/fake-clock.ts';
import { RecurringWork, type Run } from './recurring-work.ts';

const NEVER = Number.POSITIVE_INFINITY;

function setUp() {
  const work = new RecurringWork<Run>();
  const run = async (key: string, nextDeadlineMs: number) => {
    work.begin(key, () => Promise.resolve({ key, nextDeadlineMs }));
    await work.settled();
  };
  return { work, run };
}

describe('RecurringWork', () => {
  it('is due until it was run, then at the deadline it named', async () => {
    const { work, run } = setUp();
    expect(work.isDue('a', 5)).toBe(true);
    await run('a', 10);
    work.update(5);
    expect([work.isDue('a', 9), work.isDue('a', 10), work.nextDeadlineMs]).toEqual([false, true, 10]);
    work.makeDue('a', 12);
    expect(work.nextDeadlineMs).toBe(10);
    work.makeDue('a', 8);
    expect(work.nextDeadlineMs).toBe(8);
  });

  it('is not due while it is under way; what becomes due then is run once more after its end', async () => {
    const { work } = setUp();
    const slow = Promise.withResolvers<Run>();
    expect(work.begin('a', () => slow.promise)).toBe(true);
    expect([work.isDue('a', 5), work.nextDeadlineMs]).toEqual([false, NEVER]);
    expect(work.begin('a', () => slow.promise)).toBe(false);
    work.makeDue('b', 5);
    slow.resolve({ key: 'a', nextDeadlineMs: NEVER });
    await work.settled();
    work.update(6);
    expect([work.isDue('a', 6), work.isDue('b', 6), work.nextDeadlineMs]).toEqual([true, true, 5]);
    await settle();
    work.begin('a', () => Promise.resolve({ key: 'a', nextDeadlineMs: NEVER }));
    await work.settled();
    work.update(7);
    expect(work.isDue('a', 7)).toBe(false);
  });

  it('reports each run once, failures apart, and keeps the latest', async () => {
    const { work, run } = setUp();
    await run('a', 1);
    work.update(0);
    work.begin('b', () => Promise.reject(new Error('refused')));
    await run('a', 2);
    work.update(0);
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

  it('forgets everything but what is under way', async () => {
    const { work, run } = setUp();
    await run('a', 10);
    work.update(0);
    const slow = Promise.withResolvers<Run>();
    work.begin('b', () => slow.promise);
    work.reset();
    expect([work.latest.size, work.isDue('a', 0), [...work.keys]]).toEqual([0, true, ['b']]);
    slow.resolve({ key: 'b', nextDeadlineMs: NEVER });
    await work.settled();
  });
});
