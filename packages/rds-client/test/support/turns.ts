import { setImmediate as turn } from 'node:timers/promises';

/** Lets the event loop turn, at least once, and with it sockets on loopback, until `condition` holds. Vitest's time limit bounds it. */
export async function until(condition: () => boolean): Promise<void> {
  do await turn();
  while (!condition());
}

/** Settles like `promise`; while it does not, `elapse` moves a fake clock between turns of the event loop. */
export async function elapsing<T>(promise: Promise<T>, elapse: () => Promise<void>): Promise<T> {
  const state = { settled: false };
  const done = promise.finally(() => {
    state.settled = true;
  });
  done.catch(() => undefined);
  for (await turn(); !state.settled; await turn()) await elapse();
  return await done;
}
