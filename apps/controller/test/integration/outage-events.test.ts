import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Lab } from './support/lab.ts';

const LOST = 'node-a';
const HOUR_MS = 3_600_000;
/** Cluster time in one step: in an hour there are 1,800 of them. */
const STEP_MS = 2_000;
const OWN_POD = 'reattach-0';

/** Every write of an Event: `POST <kind> <name> <reason>`, or `PATCH <name of the object>`. */
function eventWrites({ world: { kube } }: Lab): readonly string[] {
  return kube.requests.flatMap(({ method, path, body }) => {
    if (!path.startsWith('/apis/events.k8s.io/')) return [];
    if (method === 'PATCH') return [`PATCH ${path.split('/').at(-1)?.split('.')[0]}`];
    const { regarding, reason } = body as {
      readonly regarding: { readonly kind: string; readonly name: string };
      readonly reason: string;
    };
    return [`${method} ${regarding.kind} ${regarding.name} ${reason}`];
  });
}

async function labWithOwnPod(): Promise<Lab> {
  const lab = await Lab.start();
  const owner = { kind: 'ReplicaSet', name: 'reattach' };
  lab.world.kube.addPod({ name: OWN_POD, nodeName: 'node-b', owner });
  return lab;
}

describe('Events', () => {
  beforeEach(() => {
    vi.stubEnv('POD_NAME', OWN_POD);
    vi.stubEnv('POD_NAMESPACE', 'default');
    onTestFinished(() => void vi.unstubAllEnvs());
  });

  it('are a handful in an hour without the backend while a node is lost', async () => {
    await using lab = await labWithOwnPod();
    const { rds } = lab.world;
    const controller = await lab.ready({ 'suspect-poll-ms': 2_000 });
    const claims = lab.world.attachedTo(LOST).map((volume) => lab.claimOf(volume));
    expect(claims).toHaveLength(2);
    await rds.faults.down();
    lab.world.powerOff(LOST);
    const held = { reason: 'storage-unknown' };
    await lab.until('a hold', () => controller.logged('Held release', held).length > 0);
    await lab.runFor(HOUR_MS, STEP_MS);
    const pod = `Pod ${OWN_POD}`;
    const inOutage = [
      `POST ${pod} StartupReconciliation`,
      `POST ${pod} StorageDisconnected`,
      ...claims.map((claim) => `POST PersistentVolumeClaim ${claim} ReleaseHeld`),
      ...claims.flatMap((claim) => Array.from({ length: 3 }, () => `PATCH ${claim}`)),
    ];
    expect(eventWrites(lab).toSorted()).toEqual(inOutage.toSorted());

    await rds.faults.up();
    await lab.failedOverConfirmed(LOST, controller); // its queues closed during the outage
    await lab.runFor(100);
    const afterwards = [
      `POST ${pod} StorageReconnected`,
      `POST Node ${LOST} NodeFenced`,
      // Held once more, because its queues closed unseen.
      ...claims.map((claim) => `POST PersistentVolumeClaim ${claim} ReleaseHeld`),
      ...claims.map((claim) => `POST PersistentVolumeClaim ${claim} StaleAttachmentReleased`),
    ];
    expect(eventWrites(lab).toSorted()).toEqual([...inOutage, ...afterwards].toSorted());
  });

  it('are a handful in an hour in which the backend is away every 30 s', async () => {
    await using lab = await labWithOwnPod();
    const controller = await lab.ready();
    const { rds } = lab.world;
    for (let time = 0; time < 120; time++) {
      rds.faults.dropConnections();
      await lab.runFor(HOUR_MS / 120, STEP_MS);
    }
    expect(controller.logged('Reconnected to storage backend').length).toBeGreaterThan(100);
    const writes = eventWrites(lab);
    expect(new Set(writes)).toEqual(
      new Set([
        `POST Pod ${OWN_POD} StartupReconciliation`,
        `POST Pod ${OWN_POD} StorageDisconnected`,
        `POST Pod ${OWN_POD} StorageReconnected`,
        `PATCH ${OWN_POD}`,
      ]),
    );
    expect(writes.length).toBeLessThanOrEqual(12);
  });

  it('are not written about a pod that is none', async () => {
    vi.stubEnv('POD_NAME', 'no-such-pod');
    await using lab = await labWithOwnPod();
    await lab.ready();
    expect(eventWrites(lab)).toEqual([]);
  });
});
