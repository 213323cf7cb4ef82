import { settle } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { FifoQueue } from './fifo-queue.ts';

const NEVER = new AbortController().signal;

describe('FifoQueue', () => {
  it('runs one task at a time, in order, also after a failure', async () => {
    const queue = new FifoQueue();
    const log: string[] = [];
    let running = 0;
    const task = (name: string) => async () => {
      running += 1;
      log.push(`${name}${running}`);
      await settle();
      running -= 1;
      if (name === 'b') throw new Error('b failed');
      return name;
    };
    const results = await Promise.allSettled(['a', 'b', 'c'].map((name) => queue.run(task(name), NEVER)));
    expect(log).toEqual(['a1', 'b1', 'c1']);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('never runs a task that was aborted in the queue, and goes on with the next', async () => {
    const queue = new FifoQueue();
    const first = Promise.withResolvers<void>();
    const caller = new AbortController();
    let ran = false;
    const running = queue.run(() => first.promise, NEVER);
    const queued = queue.run(async () => void (ran = true), caller.signal);
    const last = queue.run(async () => 'last', NEVER);
    caller.abort(new Error('gave up'));
    await expect(queued).rejects.toThrow('gave up');
    first.resolve();
    await running;
    expect(await last).toBe('last');
    expect(ran).toBe(false);
  });

  it('releases the caller of a running task at once and the place only when the task settles', async () => {
    const queue = new FifoQueue();
    const first = Promise.withResolvers<void>();
    const caller = new AbortController();
    const running = queue.run(() => first.promise, caller.signal);
    let next = 'waits';
    const second = queue.run(async () => void (next = 'ran'), NEVER);
    await settle();
    caller.abort(new Error('gave up'));
    await expect(running).rejects.toThrow('gave up');
    await settle();
    expect(next).toBe('waits');
    first.reject(new Error('no listener'));
    await second;
    expect(next).toBe('ran');
  });
});
