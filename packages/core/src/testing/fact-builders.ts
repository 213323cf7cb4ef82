import type { NodeFact, PersistentVolumeFact, PodFact, VolumeAttachmentFact } from '../model/facts.ts';

/** The CSI driver the builders attach volumes with. */
export const TEST_ATTACHER = 'test.csi.reattach.io';

/** 2026-01-01T00:00:00Z, where a FakeClock starts. */
const CREATED_AT_MS = 1_767_225_600_000;

/** A ready Node `node-a`; uid and address follow from the name unless given. */
export function nodeFact(overrides: Partial<NodeFact> = {}): NodeFact {
  const name = overrides.name ?? 'node-a';
  return {
    name,
    uid: `uid-of-${name}`,
    ready: true,
    readyChangedAtMs: CREATED_AT_MS,
    readyObservedAtMs: CREATED_AT_MS,
    bootId: `boot-of-${name}`,
    machineId: `machine-of-${name}`,
    storageAddresses: [`address-of-${name}`],
    labels: {},
    taints: [],
    ...overrides,
  };
}

/** An attached VolumeAttachment of `pv-a` on `node-a`; name and uid follow from volume and node unless given. */
export function volumeAttachmentFact(overrides: Partial<VolumeAttachmentFact> = {}): VolumeAttachmentFact {
  const nodeName = overrides.nodeName ?? 'node-a';
  const persistentVolumeName = overrides.persistentVolumeName ?? 'pv-a';
  const name = overrides.name ?? `va-${persistentVolumeName}-${nodeName}`;
  return {
    name,
    uid: `uid-of-${name}`,
    attacher: TEST_ATTACHER,
    nodeName,
    persistentVolumeName,
    attached: true,
    createdAtMs: CREATED_AT_MS,
    ...overrides,
  };
}

/** A single-writer CSI volume `pv-a`; handle and claim follow from the name unless given. */
export function persistentVolumeFact(overrides: Partial<PersistentVolumeFact> = {}): PersistentVolumeFact {
  const name = overrides.name ?? 'pv-a';
  return {
    name,
    uid: `uid-of-${name}`,
    driver: TEST_ATTACHER,
    volumeHandle: `handle-of-${name}`,
    volumeAttributes: {},
    accessModes: ['ReadWriteOnce'],
    claim: { namespace: 'default', name: `claim-of-${name}`, uid: `uid-of-claim-of-${name}` },
    ...overrides,
  };
}

/** A StatefulSet's Pod `pod-a` on `node-a` that mounts the claim of `pv-a`. */
export function podFact(overrides: Partial<PodFact> = {}): PodFact {
  const name = overrides.name ?? 'pod-a';
  const nodeName = overrides.nodeName ?? 'node-a';
  return {
    namespace: 'default',
    name,
    uid: `uid-of-${name}`,
    nodeName,
    claimNames: ['claim-of-pv-a'],
    hostAddresses: [`address-of-${nodeName}`],
    controller: { kind: 'StatefulSet', name: 'set-a' },
    ...overrides,
  };
}
