import type { FakeClock } from '@reattach/core/testing';

/** Cluster time that passes between two rounds of real input and output, ms. */
const STEP_MS = 25;

/** Turns of the event loop in a round: enough for a request over loopback and its answer. */
const TURNS = 6;

/** Lets what is on its way over loopback sockets arrive, without moving the clock. */
export async function turnEventLoop(turns: number = TURNS): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
}

/**
 * Lets `ms` of cluster time pass in small steps, with real input and output in between.
 * @param stepMs longer ones let hours pass, at the price of slow answers
 */
export async function runFor(clock: FakeClock, ms: number, stepMs: number = STEP_MS): Promise<void> {
  const endMs = clock.now() + ms;
  while (clock.now() < endMs) {
    await turnEventLoop();
    await clock.advance(Math.min(stepMs, endMs - clock.now()));
  }
  await turnEventLoop();
}

/** Lets time pass until `condition` holds. @throws naming `what` when it does not within `limitMs` of cluster time. */
export async function runUntil(
  clock: FakeClock,
  what: string,
  condition: () => boolean,
  limitMs: number,
): Promise<void> {
  const endMs = clock.now() + limitMs;
  while (!condition()) {
    if (clock.now() >= endMs) throw new Error(`Waited ${limitMs} ms of cluster time in vain for ${what}`);
    await runFor(clock, STEP_MS);
  }
}

/** Lets time pass until `work` settles, however it does. */
export async function runWhile(clock: FakeClock, work: Promise<unknown>): Promise<void> {
  let settled = false;
  const note = () => {
    settled = true;
  };
  work.then(note, note);
  await runUntil(clock, 'a promise to settle', () => settled, 60_000);
}
