import { delay, systemClock } from '@reattach/core';
import { KubeSim } from '@reattach/kube-sim';
import { RdsSim } from '@reattach/rds-sim';
import { Controller } from './controller.ts';
import { percentile } from './measure.ts';
import { printTable } from './table.ts';

const NODES = 1_000;
const ATTACHMENTS = 10_000;
/** Nodes that die, one after the other. */
const SAMPLES = 100;
/** Hosts that stay live: the box must hear somebody. */
const WITNESSES = 5;
const DRIVER = 'rds.csi.srvlab.io';
const BOX_ADDRESS = '10.0.0.10';
/** Longer than the activity window and the grace after it. */
const SILENCE_MS = 4_000;

/**
 * The whole controller at 1,000 nodes and 10,000 attachments: from a Node's turn to NotReady, long after its grace and silence,
 * to the first destructive write that arrives at the API server. Between them: watch event, trigger, pass, a reading of the
 * box over SSH, live GET. The box holds what it is asked about, a volume per host: what a full one adds, `box` measures.
 * Baseline: a bare GET over the same loopback.
 */
export async function triggerToWrite(): Promise<void> {
  await using kube = await KubeSim.start({ requestLimit: 1_000 });
  await using rds = await RdsSim.start({ address: BOX_ADDRESS, tracking: { enabled: 'yes' }, katoMs: 750 });
  rds.box.addDropRule();
  const dying = Array.from({ length: SAMPLES }, (_, index) => `node-${index}`);
  for (let index = 0; index < NODES; index++) {
    const name = `node-${index}`;
    const address = `10.1.${index >> 8}.${index & 255}`;
    kube.addNode({ name, internalIP: address });
    const host =
      index < SAMPLES + WITNESSES
        ? rds.box.addHost({ name, addresses: [address], keepAliveMs: 250 })
        : undefined;
    for (let each = 0; each < volumesOf(index); each++) {
      const slot = `pvc-${index}-${each}`;
      const nqn = `nqn.2026-01.example.test:${slot}`;
      kube.addVolume({
        name: slot,
        handle: slot,
        driver: DRIVER,
        claim: slot,
        attributes: { nqn, nvmeAddress: BOX_ADDRESS },
      });
      kube.addAttachment({ nodeName: name, persistentVolume: slot });
      kube.addPod({
        name: slot,
        nodeName: name,
        claims: [slot],
        hostIP: address,
        owner: { kind: 'StatefulSet', name: 'set' },
      });
      if (!host) continue;
      rds.box.addVolume({ slot, nqn, sizeBytes: 2 ** 30 });
      host.connect(slot);
    }
  }
  await using _controller = await Controller.start({
    kube,
    rds,
    driver: DRIVER,
    storageAddress: BOX_ADDRESS,
    flags: ['--mode=release', '--breaker-max-nodes-per-window=1000'],
  });
  const signal = AbortSignal.timeout(240_000);
  await delay(systemClock, 1_500, signal); // every host has been seen live
  for (const name of dying) rds.box.host(name)?.powerOff();
  await delay(systemClock, SILENCE_MS, signal);

  const latencies: number[] = [];
  for (const name of dying) {
    const written = kube.waitFor(
      ({ method, path }) => method === 'DELETE' && path.includes(`/pods/pvc-${name.slice(5)}-`),
      signal,
    );
    const startedAtMs = performance.now();
    setReady(kube, name, 'Unknown');
    await written;
    latencies.push(performance.now() - startedAtMs);
    await delay(systemClock, 200, signal); // its other volumes
    setReady(kube, name, 'True');
    await delay(systemClock, 50, signal);
  }
  const bare = await bareRequests(kube);
  printTable(
    `Trigger to first destructive write: ${NODES} nodes, ${ATTACHMENTS} attachments, ${SAMPLES} failures`,
    [
      ['', 'p50, ms', 'p99, ms', 'goal'],
      ['Node NotReady -> pod delete received', ...cells(latencies), 'p99 <= 50'],
      ['baseline: one GET of a Node', ...cells(bare), ''],
    ],
  );
}

/** One of each host's volumes is at the box; the other nodes hold the rest. */
function volumesOf(index: number): number {
  const withHost = SAMPLES + WITNESSES;
  if (index < withHost) return 1;
  const others = NODES - withHost;
  const rest = ATTACHMENTS - withHost;
  return Math.floor(rest / others) + (index - withHost < rest % others ? 1 : 0);
}

function cells(values: readonly number[]): readonly string[] {
  return [0.5, 0.99].map((share) => percentile(values, share).toFixed(1));
}

function setReady(kube: KubeSim, name: string, status: 'True' | 'Unknown'): void {
  const lastTransitionTime = new Date(Date.now() - 60_000).toISOString();
  kube.store.patch('Node', name, { status: { conditions: [{ type: 'Ready', status, lastTransitionTime }] } });
}

async function bareRequests(kube: KubeSim): Promise<readonly number[]> {
  const times: number[] = [];
  for (let index = 0; index < SAMPLES; index++) {
    const startedAtMs = performance.now();
    const response = await fetch(`${kube.url}/api/v1/nodes/node-${index}`);
    await response.text();
    times.push(performance.now() - startedAtMs);
  }
  return times;
}
