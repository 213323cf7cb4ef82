import { DRIVER } from '../world/cluster.ts';
import type { Machine } from '../world/machine.ts';
import type { World } from '../world/world.ts';

/**
 * Why a volume may be held or waited for, from the truth alone: not one word of the controller is asked. An empty list: it
 * should be served by now.
 */
export function justifications(world: World, slot: string): readonly string[] {
  const { api } = world;
  const reasons = [...ofTheWhole(world)];
  for (const { spec } of api.store.list('VolumeAttachment')) {
    if (spec?.source.persistentVolumeName !== slot) continue;
    reasons.push(...ofNode(world, spec.nodeName));
  }
  const pod = world.podOf(slot);
  if (pod?.metadata.finalizers?.length) reasons.push('a finalizer keeps the pod');
  if (pod?.spec?.nodeName !== undefined && isSiblingHeld(world, slot))
    reasons.push('another driver has a volume of the pod');
  return reasons;
}

function* ofTheWhole({ api, machines, policy, storage, scenario }: World): Generator<string> {
  const lost = machines.filter((machine) => !machine.isRetired && !machine.isWell);
  const nodes = api.store.list('Node').length;
  const { maxNodes, maxFraction } = policy.breaker;
  if (lost.length > maxNodes && lost.length / Math.max(nodes, 1) > maxFraction)
    yield `${lost.length} nodes are lost`;
  if (!storage.product.showsSessions) yield 'sessions are not tracked';
  if (!storage.product.hasDropRule) yield 'the drop rule does nothing';
  if (scenario.machines.some(({ hasSecondPath, alsoReported }) => hasSecondPath && alsoReported.length === 0))
    yield 'a machine uses an address that its Node does not report';
}

function* ofNode(world: World, nodeName: string): Generator<string> {
  const { api, machines } = world;
  const named = machines.filter((machine) => machine.nodeName === nodeName);
  const rival = machines.find(
    (other) => other.nodeName !== nodeName && named.some((machine) => sharesAddress(machine, other)),
  );
  if (rival) yield `${nodeName} shares an address with ${rival.nodeName}`;
  const taints = api.store.get('Node', nodeName)?.spec?.taints ?? [];
  if (isNeverClosed(world, nodeName)) yield `queues of ${nodeName} are never closed`;
  if (taints.some(({ key, value }) => key.endsWith('/out-of-service') && value !== DRIVER))
    yield `another actor recovers ${nodeName}`;
}

/** The target never closes the queues of a host without keep-alives, so nothing shows that its last writes have ended. */
function isNeverClosed({ scenario, machines }: World, nodeName: string): boolean {
  const plan = scenario.machines.find((machine) => machine.nodeName === nodeName);
  return (
    plan?.keepAliveTimeoutMs === 0 &&
    machines.some((machine) => machine.nodeName === nodeName && !machine.isPowered)
  );
}

function sharesAddress(one: Machine, other: Machine): boolean {
  return other.addresses.some((address) => one.addresses.includes(address));
}

/** Under strategy `out-of-service` the policy holds nodes with volumes of other drivers. */
function isSiblingHeld({ scenario }: World, slot: string): boolean {
  return scenario.volumes.some((volume) => volume.slot === slot && volume.hasSibling);
}
