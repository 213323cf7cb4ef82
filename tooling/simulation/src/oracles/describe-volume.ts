import type { World } from '../world/world.ts';

/** Where the volume and its pod are, for people. */
export function describeVolume(world: World, slot: string): string {
  const { api, machines, storage } = world;
  const pod = world.podOf(slot);
  const attachments = api.store
    .list('VolumeAttachment')
    .filter(({ spec }) => spec?.source.persistentVolumeName === slot)
    .map(({ spec, status, metadata }) => {
      const state = metadata.deletionTimestamp ? 'detaching' : status?.attached ? 'attached' : 'attaching';
      return `${state} at ${spec?.nodeName}`;
    });
  const nodes = api.store.list('Node').map(({ metadata, status, spec }) => {
    const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status;
    const taints = (spec?.taints ?? []).map(({ key }) => key.split('/')[1]).join('+');
    return `${metadata.name} ready=${ready}${taints && ` taints=${taints}`}`;
  });
  const mounts = machines
    .filter(({ workload }) => workload.slots.includes(slot))
    .map((machine) => `${machine.id}${machine.host.connected(slot) ? '' : ' (not connected)'}`);
  return [
    `pod ${pod?.status?.phase ?? 'missing'}${pod?.metadata.deletionTimestamp ? ' (terminating)' : ''} on ${pod?.spec?.nodeName ?? 'no node'}`,
    attachments.join(', ') || 'not attached',
    `mounted by ${mounts.join(', ') || 'no machine'}`,
    `fences ${[...storage.fencedAddresses].join(', ') || 'none'}`,
    nodes.join(', '),
  ].join('; ');
}
