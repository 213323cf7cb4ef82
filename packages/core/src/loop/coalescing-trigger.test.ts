import { describe, expect, it } from 'vitest';
import type { TriggerReason } from '../model/trigger-reason.ts';
import { settle } from '../testing/fake-clock.ts';
import { CoalescingTrigger } from './coalescing-trigger.ts';

interface Pass {
  readonly reasons: readonly TriggerReason[];
  readonly complete: () => void;
  readonly fail: (err: unknown) => void;
}

/** A trigger whose passes wait until the test completes them. */
function controlled() {
  const trigger = new CoalescingTrigger();
  const abort = new AbortController();
  const passes: Pass[] = [];
  const run = () =>
    trigger.run((reasons) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      passes.push({ reasons: [...reasons], complete: resolve, fail: reject });
      return promise;
    }, abort.signal);
  return { trigger, abort, passes, run, reasons: () => passes.map((pass) => pass.reasons) };
}

describe('CoalescingTrigger', () => {
  it('runs no pass until one is requested', async () => {
    const { run, passes, abort } = controlled();
    const done = run();
    await settle();
    expect(passes).toEqual([]);
    abort.abort();
    await done;
  });

  it('turns any number of requests before a pass starts into one pass that knows all reasons', async () => {
    const { trigger, run, reasons } = controlled();
    void run();
    trigger.request('node-deleted');
    trigger.request('node-not-ready');
    trigger.request('node-deleted');
    await settle();
    expect(reasons()).toEqual([['node-deleted', 'node-not-ready']]);
  });

  it('remembers a request made before run', async () => {
    const { trigger, run, reasons } = controlled();
    trigger.request('manual');
    void run();
    await settle();
    expect(reasons()).toEqual([['manual']]);
  });

  it('runs requests made before run and in the same turn after it in one pass', async () => {
    const { trigger, run, reasons } = controlled();
    trigger.request('manual');
    void run();
    trigger.request('startup');
    await settle();
    expect(reasons()).toEqual([['manual', 'startup']]);
  });

  it('turns requests made during a pass into exactly one more pass after it', async () => {
    const { trigger, run, passes, reasons } = controlled();
    trigger.request('startup');
    void run();
    await settle();
    trigger.request('node-deleted');
    trigger.request('manual');
    await settle();
    expect(reasons()).toEqual([['startup']]);
    passes[0]?.complete();
    await settle();
    expect(reasons()).toEqual([['startup'], ['node-deleted', 'manual']]);
    passes[1]?.complete();
    await settle();
    expect(passes).toHaveLength(2);
  });

  it('starts no pass after abort, and resolves once the running one has settled', async () => {
    const { trigger, run, abort, passes } = controlled();
    trigger.request('startup');
    const done = run();
    await settle();
    trigger.request('node-deleted');
    abort.abort();
    trigger.request('manual');
    let settled = false;
    void done.then(() => (settled = true));
    await settle();
    expect(settled).toBe(false);
    passes[0]?.complete();
    await done;
    expect(passes).toHaveLength(1);
  });

  it('ignores requests between an abort and the next run', async () => {
    const { trigger, run, abort } = controlled();
    const done = run();
    abort.abort();
    await done;
    trigger.request('manual');
    const seen: TriggerReason[][] = [];
    void trigger.run(async (reasons) => void seen.push([...reasons]), new AbortController().signal);
    await settle();
    expect(seen).toEqual([]);
  });

  it('runs passes again after an abort', async () => {
    const { trigger, run, abort } = controlled();
    const done = run();
    abort.abort();
    await done;
    const seen: TriggerReason[][] = [];
    void trigger.run(async (reasons) => void seen.push([...reasons]), new AbortController().signal);
    trigger.request('manual');
    await settle();
    expect(seen).toEqual([['manual']]);
  });

  it('runs no pass when the signal has aborted before run', async () => {
    const { trigger, run, abort, passes } = controlled();
    trigger.request('startup');
    abort.abort();
    await run();
    expect(passes).toEqual([]);
  });

  it('rejects with the error of a pass and keeps the requests made during it', async () => {
    const { trigger, run, passes, reasons } = controlled();
    trigger.request('startup');
    const done = run();
    await settle();
    trigger.request('node-deleted');
    passes[0]?.fail(new Error('boom'));
    await expect(done).rejects.toThrow('boom');
    void run();
    await settle();
    expect(reasons()).toEqual([['startup'], ['node-deleted']]);
  });

  it('rejects with the error of a pass that throws synchronously', async () => {
    const trigger = new CoalescingTrigger();
    trigger.request('startup');
    const run = trigger.run(() => {
      throw new Error('boom');
    }, new AbortController().signal);
    await expect(run).rejects.toThrow('boom');
  });

  it('resolves when a pass rejects with the reason of the abort, and rejects with any other error', async () => {
    const first = controlled();
    first.trigger.request('startup');
    const aborted = first.run();
    await settle();
    first.abort.abort();
    first.passes[0]?.fail(first.abort.signal.reason);
    await expect(aborted).resolves.toBeUndefined();

    const second = controlled();
    second.trigger.request('startup');
    const failed = second.run();
    await settle();
    second.abort.abort();
    second.passes[0]?.fail(new Error('boom'));
    await expect(failed).rejects.toThrow('boom');
  });

  it('refuses a second run until the first has settled, even after abort', async () => {
    const { trigger, run, abort, passes } = controlled();
    trigger.request('startup');
    const done = run();
    await expect(run()).rejects.toMatchObject({ code: 'ALREADY_RUNNING' });
    await settle();
    abort.abort();
    await expect(run()).rejects.toMatchObject({ code: 'ALREADY_RUNNING' });
    passes[0]?.complete();
    await done;
  });
});
