import { describe, expect, it } from 'vitest';
import { settle } from '../testing/fake-clock.ts';
import { KeyedLock } from './keyed-lock.ts';

function setUp() {
  const lock = new KeyedLock();
  const log: string[] = [];
  const gates = new Map<string, () => void>();
  /** Runs a task that logs its start and ends when `gates` lets it. */
  const run = (key: string, name: string, signal = new AbortController().signal) =>
    lock.run(
      key,
      async () => {
        log.push(name);
        await new Promise<void>((resolve) => gates.set(name, resolve));
        return name;
      },
      signal,
    );
  const finish = async (name: string) => {
    gates.get(name)?.();
    await settle();
  };
  return { lock, log, run, finish };
}

describe('KeyedLock', () => {
  it('runs tasks of one key one after the other, first come first', async () => {
    const { log, run, finish } = setUp();
    const results = ['a1', 'a2', 'a3'].map((name) => run('a', name));
    await settle();
    expect(log).toEqual(['a1']);
    await finish('a1');
    expect(log).toEqual(['a1', 'a2']);
    await finish('a2');
    await finish('a3');
    expect(await Promise.all(results)).toEqual(['a1', 'a2', 'a3']);
  });

  it('runs tasks of different keys at the same time', async () => {
    const { lock, log, run, finish } = setUp();
    const results = [run('a', 'a1'), run('b', 'b1')];
    await settle();
    expect(log).toEqual(['a1', 'b1']);
    expect([lock.size, lock.isHeld('a'), lock.isHeld('c')]).toEqual([2, true, false]);
    await finish('b1');
    await finish('a1');
    await Promise.all(results);
  });

  it('lets a newcomer wait behind those who queue already', async () => {
    const { log, run, finish } = setUp();
    const first = run('a', 'a1');
    const second = run('a', 'a2');
    await settle();
    const third = first.then(() => run('a', 'a3'));
    await finish('a1');
    expect(log).toEqual(['a1', 'a2']);
    await finish('a2');
    await finish('a3');
    await Promise.all([first, second, third]);
  });

  it('frees a key once it is not held, also after a task threw', async () => {
    const { lock, log, run, finish } = setUp();
    const failing = lock.run('a', () => Promise.reject(new Error('boom')), new AbortController().signal);
    const next = run('a', 'a2');
    await expect(failing).rejects.toThrow('boom');
    expect([lock.size, log]).toEqual([1, ['a2']]);
    await finish('a2');
    await next;
    expect(lock.size).toBe(0);
  });

  it('lets a queued task go when aborted, and wakes the one behind it in turn', async () => {
    const { lock, log, run, finish } = setUp();
    const abort = new AbortController();
    const first = run('a', 'a1');
    const second = run('a', 'a2', abort.signal);
    const third = run('a', 'a3');
    await settle();
    abort.abort(new Error('enough'));
    await expect(second).rejects.toThrow('enough');
    expect(log).toEqual(['a1']);
    await finish('a1');
    expect(log).toEqual(['a1', 'a3']);
    await finish('a3');
    await Promise.all([first, third]);
    expect(lock.size).toBe(0);
  });

  it('starts nothing once aborted, neither before the call nor between wake-up and start', async () => {
    const { lock, log, run, finish } = setUp();
    await expect(run('a', 'a0', AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
    expect(lock.size).toBe(0);

    const abort = new AbortController();
    const first = run('a', 'a1');
    const second = run('a', 'a2', abort.signal).catch((err: unknown) => String(err));
    void first.then(() => abort.abort(new Error('just now')));
    await settle();
    await finish('a1');
    expect(await second).toBe('Error: just now');
    expect([log, lock.size]).toEqual([['a1'], 0]);
  });
});
