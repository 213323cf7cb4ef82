import { FakeClock, RecordingLogger, settle } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import type { Controller } from './controller.ts';
import { runUntilStopped } from './run-until-stopped.ts';

/** A process that is asked to end. */
function setUp(run: Controller['run']) {
  const clock = new FakeClock();
  const logger = new RecordingLogger();
  const listeners = new Set<(name: string) => void>();
  const exits: number[] = [];
  const controller: Controller = {
    run,
    address: undefined,
    ready: () => ({ ok: false, checks: [] }),
    pending: ['reconciler', 'http-server'],
  };
  const exitCode = runUntilStopped(controller, {
    shutdownGraceMs: 20_000,
    clock,
    logger,
    onSignal(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    exitNow: (code) => void exits.push(code),
  });
  const signal = (name: string) => listeners.forEach((listener) => listener(name));
  return { clock, logger, listeners, exits, exitCode, signal };
}

const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

describe('runUntilStopped', () => {
  it('ends with 0 when the controller stops after a signal, leaving no timer and no listener', async () => {
    const { clock, exitCode, signal, listeners, exits } = setUp(untilAborted);
    await settle();
    signal('SIGTERM');
    expect(await exitCode).toBe(0);
    expect([clock.pendingTimers, listeners.size, exits]).toEqual([0, 0, []]);
  });

  it('ends with 1 and logs why when the controller fails', async () => {
    const { exitCode, logger } = setUp(() => Promise.reject(new Error('EADDRINUSE')));
    expect(await exitCode).toBe(1);
    expect(logger.lines).toMatchObject([{ level: 'error', message: 'Controller failed' }]);
  });

  it('ends with 2 when an adapter refuses its configuration', async () => {
    const err = Object.assign(new Error('BAD_CONFIG: kubeconfig cannot be read'), { code: 'BAD_CONFIG' });
    expect(await setUp(() => Promise.reject(err)).exitCode).toBe(2);
  });

  it('ends with 1 and names what was abandoned when the grace runs out', async () => {
    const { clock, exitCode, signal, logger } = setUp(() => new Promise(() => undefined));
    signal('SIGINT');
    await clock.advance(20_000);
    expect(await exitCode).toBe(1);
    expect(logger.lines.at(-1)).toMatchObject({
      level: 'error',
      message: 'Exceeded shutdown grace',
      fields: { shutdownGraceMs: 20_000, abandoned: ['reconciler', 'http-server'] },
    });
  });

  it('ends the process at once on the second signal', async () => {
    const { signal, exits } = setUp(() => new Promise(() => undefined));
    signal('SIGTERM');
    expect(exits).toEqual([]);
    signal('SIGTERM');
    expect(exits).toEqual([1]);
  });
});
