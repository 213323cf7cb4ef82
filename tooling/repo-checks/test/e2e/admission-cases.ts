interface Taint {
  readonly key: string;
  value?: string;
  readonly effect: string;
}

/** A Node as the policies see it: any field may be there. */
export interface NodeLike {
  metadata: {
    name?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    finalizers?: string[];
    ownerReferences?: object[];
  };
  spec: { taints?: Taint[]; [field: string]: unknown };
  status: { volumesInUse?: string[]; [field: string]: unknown };
}

/** Changes a Node in place. */
export type Change = (node: NodeLike) => void;

const volume = (handle: string) => `kubernetes.io/csi/rds.csi.srvlab.io^${handle}`;
const taint = (key: string, value?: string): Taint => ({
  key,
  ...(value !== undefined && { value }),
  effect: 'NoExecute',
});
const outOfService = (value?: string) => taint('node.kubernetes.io/out-of-service', value);
const ATTACHER = 'rds.csi.srvlab.io';
const BOOT_ID = 'reattach.srvlab.io/out-of-service-boot-id';
const annotate =
  (key: string, value: string): Change =>
  ({ metadata }) => {
    metadata.annotations = { ...metadata.annotations, [key]: value };
  };

/** A Node without any field. */
export const bare = (): NodeLike => ({ metadata: {}, spec: {}, status: {} });

/** A Node with every field that Kubernetes 1.36 knows, and with one of a later version. */
export const full = (): NodeLike => ({
  metadata: { labels: { zone: 'a' }, annotations: { owner: 'b' }, finalizers: ['example.org/keep'] },
  spec: {
    providerID: 'c',
    podCIDR: '10.1.0.0/24',
    podCIDRs: ['10.1.0.0/24'],
    taints: [taint('node.kubernetes.io/not-ready'), taint('team', 'd')],
    futureSpec: { of: 'a later version' },
  },
  status: {
    volumesInUse: [volume('pvc-1'), 'kubernetes.io/csi/other.csi^pvc-2'],
    volumesAttached: [{ name: volume('pvc-1'), devicePath: '' }],
    conditions: [{ type: 'Ready', status: 'False' }],
    addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
    capacity: { cpu: '1' },
    allocatable: { cpu: '1' },
    nodeInfo: { bootID: 'e' },
    images: [{ names: ['example.org/image:1'], sizeBytes: 1 }],
    phase: 'Running',
    config: { active: {} },
    daemonEndpoints: { kubeletEndpoint: { Port: 10_250 } },
    declaredFeatures: ['f'],
    features: { supplementalGroupsPolicy: true },
    runtimeHandlers: [{ name: 'runc', features: { userNamespaces: true } }],
    futureStatus: ['g'],
  },
});

/** A Node that carries our out-of-service taint. */
export const tainted = (): NodeLike => ({
  metadata: { annotations: { [BOOT_ID]: 'e' } },
  spec: { taints: [outOfService(ATTACHER)] },
  status: { volumesInUse: [volume('pvc-1')] },
});

/** As large as the Nodes of busy hosts: 50 images with their digests, 20 conditions, 100 volumes. */
export const large = (): NodeLike => {
  const images = Array.from({ length: 50 }, (_, index) => ({
    names: [
      `registry.example.org/team/image-${index}@sha256:${'0'.repeat(64)}`,
      `registry.example.org/team/image-${index}:1`,
    ],
    sizeBytes: index,
  }));
  const conditions = Array.from({ length: 20 }, (_, index) => ({
    type: `Condition${index}`,
    status: 'False',
    message: 'a sentence about the condition '.repeat(4),
  }));
  const volumesInUse = Array.from({ length: 100 }, (_, index) => volume(`pvc-${index}`));
  return { metadata: {}, spec: {}, status: { images, conditions, volumesInUse } };
};

/** What our ServiceAccount may do: name, Node before, change. */
export const ALLOWED: readonly (readonly [string, () => NodeLike, Change])[] = [
  ['nothing', full, () => {}],
  ['nothing in a Node that has nothing', bare, () => {}],
  [
    'add the fenced taint',
    full,
    ({ spec }) => spec.taints?.push(taint('reattach.srvlab.io/fenced', ATTACHER)),
  ],
  ['add the first taint', bare, ({ spec }) => (spec.taints = [taint('reattach.srvlab.io/fenced', ATTACHER)])],
  [
    'add our out-of-service taint and record the bootID',
    full,
    (node) => {
      node.spec.taints?.push(outOfService(ATTACHER));
      annotate(BOOT_ID, 'e')(node);
    },
  ],
  [
    'remove both again',
    tainted,
    ({ spec, metadata }) => {
      delete spec.taints;
      delete metadata.annotations;
    },
  ],
  ['remove a volume of ours from volumesInUse', full, ({ status }) => status.volumesInUse?.shift()],
  ['remove the last volume in use', tainted, ({ status }) => delete status.volumesInUse],
  ['remove every volume of a large Node', large, ({ status }) => delete status.volumesInUse],
];

const ADDED_SPEC: Readonly<Record<string, unknown>> = { unschedulable: true, externalID: 'x', laterSpec: 1 };
const ADDED_STATUS: Readonly<Record<string, unknown>> = { laterStatus: { on: true } };
const { spec: FULL_SPEC, status: FULL_STATUS } = full();
const OTHERS = new Set(['taints', 'volumesInUse']);
const fieldsOf = (part: object) => Object.keys(part).filter((field) => !OTHERS.has(field));

/** What our ServiceAccount may not make of the full Node. Every field but those with rules of their own is changed, removed and added. */
export const DENIED: readonly (readonly [string, Change])[] = [
  ['an out-of-service taint of another value', ({ spec }) => spec.taints?.push(outOfService('other'))],
  [
    'a fenced taint of another owner',
    ({ spec }) => spec.taints?.push(taint('reattach.srvlab.io/fenced', 'other')),
  ],
  ['an out-of-service taint without a value', ({ spec }) => spec.taints?.push(outOfService())],
  ['another taint', ({ spec }) => spec.taints?.push(taint('mine'))],
  ['without a taint of others', ({ spec }) => spec.taints?.pop()],
  ['a taint of others with another value', ({ spec }) => spec.taints?.splice(1, 1, taint('team', 'x'))],
  ['another annotation', annotate('x', 'y')],
  ['without an annotation', ({ metadata }) => delete metadata.annotations],
  ['a changed annotation', annotate('owner', 'x')],
  ['declared clean', annotate('reattach.srvlab.io/clean', 'f')],
  ['another label', ({ metadata }) => (metadata.labels = { zone: 'x' })],
  ['without a finalizer', ({ metadata }) => delete metadata.finalizers],
  [
    'owned by another object',
    ({ metadata }) =>
      (metadata.ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'a', uid: 'b' }]),
  ],
  ['without a volume of others in use', ({ status }) => status.volumesInUse?.pop()],
  ['another volume in use', ({ status }) => status.volumesInUse?.push(volume('pvc-3'))],
  ['Ready', ({ status }) => (status['conditions'] = [{ type: 'Ready', status: 'True' }])],
  ['without any status but volumesInUse', (node) => (node.status = { volumesInUse: [volume('pvc-1')] })],
  ...fieldsOf(FULL_SPEC).flatMap((field): (readonly [string, Change])[] => [
    [`another spec.${field}`, ({ spec }) => (spec[field] = 'x')],
    [`without spec.${field}`, ({ spec }) => delete spec[field]],
  ]),
  ...fieldsOf(FULL_STATUS).flatMap((field): (readonly [string, Change])[] => [
    [`another status.${field}`, ({ status }) => (status[field] = 'x')],
    [`without status.${field}`, ({ status }) => delete status[field]],
  ]),
  ...Object.entries(ADDED_SPEC).map(([field, value]): readonly [string, Change] => [
    `with spec.${field}`,
    ({ spec }) => (spec[field] = value),
  ]),
  ...Object.entries(ADDED_STATUS).map(([field, value]): readonly [string, Change] => [
    `with status.${field}`,
    ({ status }) => (status[field] = value),
  ]),
];

/** A Node with an annotation of an operator that a kubelet must leave alone. */
const annotated = (): NodeLike => ({
  ...full(),
  metadata: { annotations: { owner: 'b', 'reattach.srvlab.io/storage-addresses': '10.0.5.1' } },
});

/** What a kubelet may do. */
export const ALLOWED_TO_NODES: readonly (readonly [string, () => NodeLike, Change])[] = [
  [
    'report its status',
    annotated,
    ({ status }) => (status['conditions'] = [{ type: 'Ready', status: 'True' }]),
  ],
  ['report its volumes', annotated, ({ status }) => (status.volumesInUse = [])],
  [
    'write annotations of others',
    annotated,
    annotate('volumes.kubernetes.io/controller-managed-attach-detach', 'true'),
  ],
  ['remove annotations of others', annotated, ({ metadata }) => delete metadata.annotations?.['owner']],
  ['write the first annotation', bare, annotate('owner', 'c')],
];

/** What a kubelet may not do. */
export const DENIED_TO_NODES: readonly (readonly [string, () => NodeLike, Change])[] = [
  ['declare itself clean', full, annotate('reattach.srvlab.io/clean', 'fence-id')],
  ['claim an address', bare, annotate('reattach.srvlab.io/storage-addresses', '10.0.0.2')],
  ['change its addresses', annotated, annotate('reattach.srvlab.io/storage-addresses', '10.0.0.2')],
  ['add another address', annotated, annotate('reattach.srvlab.io/other', 'x')],
  [
    'remove its addresses',
    annotated,
    ({ metadata }) => delete metadata.annotations?.['reattach.srvlab.io/storage-addresses'],
  ],
  ['remove all annotations', annotated, ({ metadata }) => delete metadata.annotations],
];
