import { describe, expect, it } from 'vitest';
import { backendWrites, clusterWrites } from './support/effects.ts';
import { type Flags, Lab } from './support/lab.ts';
import { WORLD_TIMES } from './support/times.ts';

const LOST = 'node-a';
const LEASES = { path: /\/leases$/, watch: true };
const EARLY: Flags = { 'early-detection': true, 'lease-stale-ms': 1_500 };

/** After the power went until a node is suspect and silent, with room, ms of cluster time. */
const SUSPECT_MS = 2_200;
/** Long enough for a whole fail-over, ms of cluster time. */
const QUIET_MS = 6_000;

/** @param nodeGraceMs when Kubernetes marks a silent node NotReady; default: never here */
function lab(nodeGraceMs: number = 600_000): Promise<Lab> {
  return Lab.start({ times: { ...WORLD_TIMES, cluster: { ...WORLD_TIMES.cluster, nodeGraceMs } } });
}

/** Nothing was written to cluster or backend. */
function expectUntouched({ world }: Lab): void {
  expect(clusterWrites(world)).toEqual([]);
  expect(backendWrites(world)).toEqual([]);
  expect(world.rds.oracle.doubleWrites).toBe(0);
}

describe('early detection', () => {
  it('releases a node that lost its power before Kubernetes calls it NotReady, and keeps new pods off it', async () => {
    await using early = await lab();
    const controller = await early.ready(EARLY);
    early.world.powerOff(LOST);
    await early.failedOver(LOST);
    expect(early.isReady(LOST)).toBe(true);
    expect(early.replicasOn(LOST)).toEqual([]);
    expect(backendWrites(early.world)).toHaveLength(1);
    const [taint] = clusterWrites(early.world);
    expect(taint).toBe(`PATCH /api/v1/nodes/${LOST}`); // before the first pod is deleted
    expect(controller.logged('Released stale attachment', { node: LOST })).toHaveLength(2);
    expect(early.world.rds.oracle.doubleWrites).toBe(0);

    early.world.powerOn(LOST);
    await early.until('the fence to go', () => early.world.rds.device.addressList.entries.length === 0);
    await early.until('the taint to go', () => {
      return (early.world.kube.store.get('Node', LOST)?.spec?.taints ?? []).length === 0;
    });
  });

  it('does nothing when the Lease is renewed before the fence', async () => {
    await using early = await lab();
    const controller = await early.ready(EARLY);
    const { kubelet, host } = early.world.node(LOST);
    kubelet.stop();
    host.partition();
    await early.runFor(SUSPECT_MS);
    kubelet.start();
    host.heal();
    await early.runFor(QUIET_MS);
    expectUntouched(early);
    expect(controller.logged('Held release')).toEqual([]);
    expect(early.isSettled).toBe(true);
  });

  it('does nothing to a node that still talks to the backend', async () => {
    await using early = await lab();
    await early.ready(EARLY);
    early.world.node(LOST).kubelet.stop();
    await early.runFor(QUIET_MS);
    expectUntouched(early);
    expect(early.isSettled).toBe(true);
  });

  it('suspects no node whose Leases it no longer sees', async () => {
    await using early = await lab();
    await early.ready(EARLY);
    expect(early.world.kube.faults.halfOpenWatches(LEASES)).toBe(1);
    early.world.node(LOST).host.partition();
    await early.runFor(QUIET_MS);
    expectUntouched(early);
    expect(early.isSettled).toBe(true);
  });

  it('takes stale Leases of most nodes for its own problem', async () => {
    await using early = await lab();
    const controller = await early.ready(EARLY);
    for (const name of [LOST, 'node-b']) {
      early.world.node(name).kubelet.stop();
      early.world.node(name).host.partition();
    }
    await early.runFor(QUIET_MS);
    expectUntouched(early);
    expect(controller.logged('Held release', { reason: 'mass-failure' })).toHaveLength(4);
  });
});
