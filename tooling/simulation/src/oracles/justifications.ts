import type { World } from '../world/world.ts';

/**
 * Why a volume may be held or waited for, from the truth alone: not one word of the controller is asked. An empty list: it
 * should be served by now.
 */
export function justifications(world: World, slot: string): readonly string[] {
  const { api, machines, policy } = world;
  const reasons: string[] = [];
  const lost = machines.filter((machine) => !machine.isRetired && !machine.isWell);
  const nodes = api.store.list('Node');
  const { maxNodes, maxFraction } = policy.breaker;
  if (lost.length > maxNodes && lost.length / Math.max(nodes.length, 1) > maxFraction)
    reasons.push(`${lost.length} nodes are lost`);
  const holders = api.store
    .list('VolumeAttachment')
    .filter(({ spec }) => spec?.source.persistentVolumeName === slot)
    .map(({ spec }) => spec?.nodeName ?? '');
  for (const holder of holders) {
    const named = machines.filter(({ nodeName }) => nodeName === holder);
    for (const machine of named) {
      const rivals = machines.filter(
        (other) =>
          other.nodeName !== holder && other.addresses.some((address) => machine.addresses.includes(address)),
      );
      if (rivals.length > 0) reasons.push(`${holder} shares an address with ${rivals[0]?.nodeName}`);
    }
    const node = nodes.find(({ metadata }) => metadata.name === holder);
    const foreign = node?.spec?.taints?.find(
      ({ key, value }) => key.endsWith('/out-of-service') && value !== 'reattach',
    );
    if (foreign) reasons.push(`somebody else recovers ${holder}`);
  }
  const pod = api.store.get('Pod', `${slot}-0`);
  if (pod?.metadata.finalizers?.length) reasons.push('a finalizer keeps the pod');
  return reasons;
}
