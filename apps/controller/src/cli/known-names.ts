import type { StateReport } from '@reattach/status-page';

/** Every name that `explain` finds something under, for hints and completion. */
export function knownNames({ nodes, attachments }: StateReport): readonly string[] {
  const names = [
    ...nodes.map(({ name }) => name),
    ...nodes.map(({ name }) => `node/${name}`),
    ...attachments.flatMap(({ persistentVolume, claim, pods = [] }) => [
      ...(persistentVolume === undefined ? [] : [persistentVolume, `pv/${persistentVolume}`]),
      ...(claim ? [`${claim.namespace}/${claim.name}`, `pvc/${claim.namespace}/${claim.name}`] : []),
      ...pods.map(({ namespace, name }) => `pod/${namespace}/${name}`),
    ]),
  ];
  return [...new Set(names)];
}
