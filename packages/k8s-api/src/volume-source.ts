import { asObject, type JsonObject } from './json-reader.ts';

/** Kinds of storage outside CSI whose volumes two machines must not write at once. @see k8s.io/api/core/v1, VolumeSource */
const EXCLUSIVE = [
  'awsElasticBlockStore',
  'azureDisk',
  'cinder',
  'fc',
  'flexVolume',
  'gcePersistentDisk',
  'iscsi',
  'photonPersistentDisk',
  'portworxVolume',
  'rbd',
  'scaleIO',
  'storageos',
  'vsphereVolume',
] as const;

/** Kinds whose data stays on one machine, or that serialize their writers themselves. */
const OTHERS = ['azureFile', 'cephfs', 'glusterfs', 'hostPath', 'local', 'nfs', 'quobyte'] as const;

/** @returns the kind of storage outside CSI that a volume of a Pod or the spec of a PersistentVolume names. */
export function sourceOf(parent: JsonObject): string | undefined {
  return [...EXCLUSIVE, ...OTHERS].find((kind) => asObject(parent[kind]) !== undefined);
}

/** Two machines that write a volume of this kind at once corrupt it. */
export function isExclusiveSource(kind: string): boolean {
  return EXCLUSIVE.some((each) => each === kind);
}
