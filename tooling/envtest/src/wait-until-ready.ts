import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ComponentProcess } from './component-process.ts';

/** kube-apiserver 1.20 needs 4-6 s on two idle cores; the rest is for a busy machine. */
const BOUND_MS = 300_000;
const POLL_MS = 50;
const ANSWER_BOUND_MS = 60_000;

export interface Probe {
  /** Answers 200 once the component is ready. */
  readonly url: string;
  /** Certificate that it shows; written by the component itself. */
  readonly certificatePath: string;
  readonly token?: string;
}

/**
 * Polls until the last of `processes` answers its probe.
 * @throws {Error} with an excerpt of its output, when one of them exits or the bound of 5 min runs out.
 */
export async function waitUntilReady(
  processes: readonly ComponentProcess[],
  probe: Probe,
  signal: AbortSignal,
): Promise<void> {
  const waitingFor = processes.at(-1);
  const giveUpAtMs = performance.now() + BOUND_MS;
  while (!(await answers(probe, signal))) {
    signal.throwIfAborted();
    const exited = processes.find((component) => !component.running);
    if (exited) throw new Error(`${exited.name} exited:\n${exited.logExcerpt()}`);
    if (performance.now() > giveUpAtMs) {
      throw new Error(
        `${waitingFor?.name} was not ready within ${BOUND_MS} ms:\n${waitingFor?.logExcerpt()}`,
      );
    }
    await sleep(POLL_MS);
  }
  signal.throwIfAborted();
}

async function answers(probe: Probe, signal: AbortSignal): Promise<boolean> {
  if (!existsSync(probe.certificatePath)) return false;
  try {
    const request = get(probe.url, {
      ca: readFileSync(probe.certificatePath),
      timeout: ANSWER_BOUND_MS,
      signal,
      ...(probe.token === undefined ? {} : { headers: { authorization: `Bearer ${probe.token}` } }),
    });
    request.once('timeout', () => request.destroy(new Error('no answer in time')));
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.resume();
    return response.statusCode === 200;
  } catch {
    return false; // not listening yet, its certificate is half written, or the start was aborted
  }
}
