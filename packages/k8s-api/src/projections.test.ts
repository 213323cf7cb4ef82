import { describe, expect, it } from 'vitest';
import { readMeta } from './object-meta.ts';
import { toLeaseFact } from './to-lease-fact.ts';
import { toNodeFact } from './to-node-fact.ts';
import { toPersistentVolumeFact } from './to-persistent-volume-fact.ts';
import { toPodFact } from './to-pod-fact.ts';
import { toVolumeAttachmentFact } from './to-volume-attachment-fact.ts';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const META = {
  name: 'a',
  uid: 'u1',
  namespace: 'web',
  resourceVersion: '7',
  creationTimestamp: '2026-01-01T00:00:00Z',
  deletionTimestamp: '2026-01-01T00:01:00Z',
} as const;

/** One full object of each kind: every field a projection looks at is there. */
const FULL: readonly (readonly [string, (raw: unknown) => unknown, Json])[] = [
  [
    'toNodeFact',
    toNodeFact,
    {
      kind: 'Node',
      metadata: {
        ...META,
        labels: { zone: 'a' },
        annotations: {
          'reattach.srvlab.io/storage-addresses': '10.0.0.1, fd00::1',
          'reattach.srvlab.io/clean': 'fence-1',
          'reattach.srvlab.io/out-of-service-boot-id': 'boot-1',
        },
      },
      spec: { taints: [{ key: 'k', value: 'v', effect: 'NoExecute', timeAdded: 't' }] },
      status: {
        conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }],
        addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
        nodeInfo: { bootID: 'boot-1', systemUUID: 'S', machineID: 'm' },
      },
    },
  ],
  [
    'toPodFact',
    toPodFact,
    {
      kind: 'Pod',
      metadata: {
        ...META,
        finalizers: ['f'],
        ownerReferences: [{ kind: 'StatefulSet', name: 'set', controller: true }],
      },
      spec: {
        nodeName: 'node-a',
        volumes: [
          { name: 'data', persistentVolumeClaim: { claimName: 'claim' } },
          { name: 'scratch', ephemeral: {} },
          { name: 'lun', iscsi: {} },
        ],
      },
      status: { hostIP: '10.0.0.1', hostIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }] },
    },
  ],
  [
    'toPersistentVolumeFact',
    toPersistentVolumeFact,
    {
      kind: 'PersistentVolume',
      metadata: META,
      spec: {
        accessModes: ['ReadWriteOnce'],
        claimRef: { namespace: 'web', name: 'claim', uid: 'u2' },
        csi: { driver: 'csi.test', volumeHandle: 'h', volumeAttributes: { nqn: 'n' } },
      },
    },
  ],
  [
    'toVolumeAttachmentFact',
    toVolumeAttachmentFact,
    {
      kind: 'VolumeAttachment',
      metadata: META,
      spec: { attacher: 'csi.test', nodeName: 'node-a', source: { persistentVolumeName: 'pv' } },
      status: { attached: true },
    },
  ],
  [
    'toLeaseFact',
    toLeaseFact,
    {
      kind: 'Lease',
      metadata: META,
      spec: { holderIdentity: 'node-a', renewTime: '2026-01-01T00:00:00.000000Z' },
    },
  ],
  ['readMeta', readMeta, { metadata: META }],
];

/** What may stand anywhere in JSON that is not what it should be. */
const ODD: readonly Json[] = [
  null,
  true,
  0,
  -1,
  1e300,
  '',
  'text',
  [],
  [null],
  [[]],
  ['x'],
  {},
  { '': null },
];

/** Every copy of `value` in which one place holds `odd` instead. */
function* withOneOddPlace(value: Json, odd: Json): Generator<Json> {
  yield odd;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries())
      for (const changed of withOneOddPlace(item, odd)) yield value.with(index, changed);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value))
      for (const changed of withOneOddPlace(item, odd)) yield { ...value, [key]: changed };
  }
}

/** Every copy of `value` in which one place is missing. */
function* withOnePlaceLess(value: Json): Generator<Json> {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      yield value.toSpliced(index, 1);
      for (const changed of withOnePlaceLess(item)) yield value.with(index, changed);
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      const { [key]: _, ...others } = value;
      yield others;
      for (const changed of withOnePlaceLess(item)) yield { ...value, [key]: changed };
    }
  }
}

/** What a projection may make of anything: nothing, or something with a name and a uid. */
function isSound(fact: unknown): boolean {
  if (fact === undefined) return true;
  const { name, uid } = fact as { readonly name?: unknown; readonly uid?: unknown };
  return typeof name === 'string' && name !== '' && typeof uid === 'string' && uid !== '';
}

describe.each(FULL)('%s on arbitrary JSON', (_name, project, full) => {
  it('reads the full object', () => {
    expect(project(full)).toMatchObject({ name: 'a', uid: 'u1' });
  });

  it.each(ODD)('neither throws nor invents an object when any place holds %j', (odd) => {
    const changed = [...withOneOddPlace(full, odd)];
    expect(changed.length).toBeGreaterThan(5);
    expect(changed.filter((raw) => !isSound(project(raw)))).toEqual([]);
    expect(project(odd)).toBeUndefined();
  });

  it('neither throws nor invents an object when any place is missing', () => {
    const changed = [...withOnePlaceLess(full)];
    expect(changed.length).toBeGreaterThan(5);
    expect(changed.filter((raw) => !isSound(project(raw)))).toEqual([]);
  });
});

it.each(FULL.filter(([, project]) => project !== readMeta))(
  '%s refuses another kind',
  (_name, project, full) => {
    expect(project({ ...(full as object), kind: 'Secret' })).toBeUndefined();
  },
);
