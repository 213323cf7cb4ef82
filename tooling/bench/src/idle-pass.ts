import { AttachmentManager, ReleasePass } from '@reattach/core';
import {
  FakeClock,
  FakeClusterActions,
  FakeClusterReader,
  FakeStorageBackend,
  fakeFleet,
  nodeFact,
  persistentVolumeFact,
  testPolicy,
  volumeAttachmentFact,
} from '@reattach/core/testing';
import { cpuMs, median } from './measure.ts';
import { printTable } from './table.ts';

const NODES = 5_000;
const ATTACHMENTS = 10_000;
const RUNS = 50;

/** CPU of a pass in which nothing is wrong. Baseline: walking the same caches and doing nothing. */
export async function idlePass(): Promise<void> {
  const clock = new FakeClock();
  const cluster = new FakeClusterReader(clock);
  for (let index = 0; index < NODES; index++) cluster.setNode(nodeFact({ name: `node-${index}` }));
  for (let index = 0; index < ATTACHMENTS; index++) {
    const persistentVolumeName = `pv-${index}`;
    cluster.setPersistentVolume(persistentVolumeFact({ name: persistentVolumeName }));
    cluster.setVolumeAttachment(
      volumeAttachmentFact({ persistentVolumeName, nodeName: `node-${index % NODES}` }),
    );
  }
  const backend = new FakeStorageBackend(clock);
  const actions = new FakeClusterActions();
  const pass = new ReleasePass({
    cluster,
    manager: new AttachmentManager({ clock }),
    fleet: fakeFleet(backend),
    actions,
    leadership: { assertHeld: () => undefined },
    observer: { passed: () => undefined },
    clock,
    policy: testPolicy(),
    newFenceId: () => '00000000',
  });
  const { signal } = new AbortController();
  const context = { reasons: new Set(['periodic'] as const), reconcileId: 'bench', wake: () => undefined };
  const ours = await repeat(() => pass.run({ ...context, nowMs: clock.now() }, signal));
  const walk = await repeat(async () => {
    let ready = 0;
    for (const node of cluster.nodes()) if (node.ready) ready++;
    for (const { nodeName } of cluster.volumeAttachments()) if (cluster.node(nodeName)) ready++;
    if (ready !== NODES + ATTACHMENTS) throw new Error('the walk missed something');
  });
  if (backend.observations.length + actions.calls.length > 0)
    throw new Error('an idle pass called the API server or a backend');
  printTable(`Idle pass: ${NODES} nodes, ${ATTACHMENTS} attachments, median of ${RUNS}`, [
    ['', 'CPU ms', 'goal'],
    ['pass', ours.toFixed(1), '<= 20'],
    ['baseline: walking the caches', walk.toFixed(1), ''],
  ]);
}

async function repeat(run: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let index = 0; index < RUNS; index++) times.push(await cpuMs(run));
  return median(times);
}
