import { delay, EMPTY_QUERY, systemClock } from '@reattach/core';
import { createRdsBackend, type RdsBackend } from '@reattach/rds-client';
import { type BackendAccess, Controller } from './controller.ts';
import { ATTACHMENTS, BACKEND_ADDRESS, DRIVER, DYING, NODES } from './failover-cluster.ts';
import { percentile } from './measure.ts';
import { epochMs, Remote } from './remote.ts';
import { printTable } from './table.ts';

/** Failures before those that count: a controller in service has long run its code. */
const WARM_UP = 50;
const SAMPLES = 300;
const BARE_SAMPLES = 100;
/** Longer than the activity window and the grace after it. */
const SILENCE_MS = 4_000;

/** Times, ms. */
interface Latencies {
  /** From a Node's turn to NotReady to the first destructive write. */
  readonly writes: readonly number[];
  /** The same requests without a controller between them. */
  readonly bare: readonly number[];
}

/**
 * The whole controller at 1,000 nodes and 10,000 attachments: from a Node's turn to NotReady, long after its grace and silence,
 * to the first destructive write that arrives: a fence at the backend. Between them: watch
 * event, trigger, pass, a reading of the backend over SSH, live GET. The backend holds what it is asked about, a volume per host: what
 * a full one adds, `backend` measures. Each simulator and the controller are processes of their own. Baseline: what the
 * simulators take for the same requests, one after the other.
 */
export async function triggerToWrite(): Promise<void> {
  const fence = await measure();
  printTable(
    `Trigger to first destructive write: ${NODES} nodes, ${ATTACHMENTS} attachments, ${SAMPLES} failures each`,
    [
      ['', 'p50, ms', 'p99, ms', 'goal'],
      ['Node NotReady -> address-list add received', ...cells(fence.writes), 'p99 <= 50'],
      ['baseline: reading of the backend, GET', ...cells(fence.bare), ''],
    ],
  );
}

async function measure(): Promise<Latencies> {
  await using kube = await Remote.fork(new URL('./failover-kube.ts', import.meta.url));
  await using backend = await Remote.fork(new URL('./failover-backend.ts', import.meta.url));
  const rds = await backend.ask<BackendAccess>('access');
  await using _controller = await Controller.start({
    kubeconfig: await kube.ask<string>('kubeconfig'),
    rds,
    driver: DRIVER,
    storageAddress: BACKEND_ADDRESS,
    flags: ['--mode=fence', '--breaker-max-nodes-per-window=1000'],
  });
  const dying = Array.from({ length: DYING }, (_, index) => `node-${index}`);
  await pause(1_500); // every host has been seen live
  for (const name of dying) await backend.ask('powerOff', name);
  await pause(SILENCE_MS);

  const writes: number[] = [];
  for (let index = 0; index < WARM_UP + SAMPLES; index++) {
    const name = dying[index % dying.length] ?? '';
    const written = backend.ask<number>('fenced');
    const lostAtMs = await kube.ask<number>('lose', name);
    const writtenAtMs = await soon(written, `nothing was written for ${name}`);
    if (index >= WARM_UP) writes.push(writtenAtMs - lostAtMs);
    await pause(100); // the rest of the release
    await kube.ask('recover', name);
    await backend.ask('removeFences');
    await pause(50);
  }
  return { writes, bare: await bareRequests(await kube.ask<string>('url'), rds) };
}

async function soon<T>(awaited: Promise<T>, otherwise: string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(otherwise)), 10_000);
  try {
    return await Promise.race([awaited, late]);
  } finally {
    clearTimeout(timer);
  }
}

function pause(ms: number): Promise<void> {
  return delay(systemClock, ms, new AbortController().signal);
}

function cells(values: readonly number[]): readonly string[] {
  return [0.5, 0.99].map((share) => percentile(values, share).toFixed(1));
}

async function bareRequests(url: string, access: BackendAccess): Promise<readonly number[]> {
  const { host, port, hostKey, credentials } = access;
  const { signal } = new AbortController();
  await using backend: RdsBackend = createRdsBackend({
    name: 'bare',
    host,
    port,
    hostKey,
    user: credentials.username,
    privateKey: credentials.privateKey,
    clock: systemClock,
  });
  backend.start(signal);
  const times: number[] = [];
  for (let index = 0; index <= BARE_SAMPLES; index++) {
    const startedAtMs = epochMs();
    await backend.observe(EMPTY_QUERY, signal);
    const response = await fetch(`${url}/api/v1/nodes/node-${index}`);
    await response.text();
    if (!response.ok) throw new Error(`GET ${response.url} answered ${response.status}, expected 200`);
    times.push(epochMs() - startedAtMs);
    await pause(20);
  }
  return times.slice(1); // the first one dials
}
