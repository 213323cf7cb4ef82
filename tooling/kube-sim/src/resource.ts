import { type EventView, eventsV1View } from './event-view.ts';
import type { Kind, KubeObject } from './kube-object.ts';

/** One API resource: where it is served and which registry rules apply to it. */
export interface Resource {
  readonly kind: Kind;
  /** Empty for the core group. */
  readonly group: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** Has a `/status` subresource: a main write leaves the status alone and the other way round. */
  readonly hasStatus: boolean;
  /** POST keeps the status it is given, as for a kubelet that registers its Node. */
  readonly createKeepsStatus: boolean;
  /** A PUT without resourceVersion overwrites; otherwise it is refused with 422. */
  readonly unconditionalUpdate: boolean;
  /** An immediate DELETE answers with the object instead of a Status. */
  readonly returnsDeleted: boolean;
  /** Paths a field selector may name, beside metadata.name and metadata.namespace. */
  readonly selectableFields: readonly string[];
  /** How objects are served when that differs from how they are stored. */
  readonly view?: EventView;
}

const defaults = {
  group: '',
  namespaced: false,
  hasStatus: true,
  createKeepsStatus: false,
  unconditionalUpdate: true,
  returnsDeleted: false,
  selectableFields: [],
} as const;

const event = {
  ...defaults,
  kind: 'Event',
  plural: 'events',
  namespaced: true,
  hasStatus: false,
} as const;

const KUBEVIRT_GROUP = 'kubevirt.io';

/** Rules follow the `strategy.go` of each resource in kubernetes/kubernetes `pkg/registry`. */
const RESOURCES: readonly Resource[] = [
  { ...defaults, kind: 'Node', plural: 'nodes', createKeepsStatus: true },
  {
    ...defaults,
    kind: 'Pod',
    plural: 'pods',
    namespaced: true,
    returnsDeleted: true,
    selectableFields: ['spec.nodeName', 'status.phase'],
  },
  { ...defaults, kind: 'PersistentVolume', plural: 'persistentvolumes', returnsDeleted: true },
  {
    ...defaults,
    kind: 'PersistentVolumeClaim',
    plural: 'persistentvolumeclaims',
    namespaced: true,
    returnsDeleted: true,
  },
  { ...defaults, kind: 'Namespace', plural: 'namespaces', createKeepsStatus: true },
  {
    ...event,
    selectableFields: [
      'involvedObject.kind',
      'involvedObject.namespace',
      'involvedObject.name',
      'involvedObject.uid',
      'reason',
      'type',
    ],
  },
  {
    ...event,
    group: 'events.k8s.io',
    view: eventsV1View,
    selectableFields: [
      'regarding.kind',
      'regarding.namespace',
      'regarding.name',
      'regarding.uid',
      'reason',
      'type',
    ],
  },
  {
    ...defaults,
    kind: 'VolumeAttachment',
    group: 'storage.k8s.io',
    plural: 'volumeattachments',
    unconditionalUpdate: false,
    returnsDeleted: true,
  },
  {
    ...defaults,
    kind: 'CSINode',
    group: 'storage.k8s.io',
    plural: 'csinodes',
    hasStatus: false,
    unconditionalUpdate: false,
    returnsDeleted: true,
  },
  {
    ...defaults,
    kind: 'Lease',
    group: 'coordination.k8s.io',
    plural: 'leases',
    namespaced: true,
    hasStatus: false,
    unconditionalUpdate: false,
  },
  {
    ...defaults,
    kind: 'StatefulSet',
    group: 'apps',
    plural: 'statefulsets',
    namespaced: true,
    unconditionalUpdate: false,
  },
  // A custom resource with a status subresource: `customresource/strategy.go` in apiextensions-apiserver.
  {
    ...defaults,
    kind: 'VirtualMachineInstanceMigration',
    group: KUBEVIRT_GROUP,
    plural: 'virtualmachineinstancemigrations',
    namespaced: true,
    unconditionalUpdate: false,
  },
];

/** What a cluster serves; without KubeVirt its group does not exist. */
export function servedResources(kubevirt: boolean): readonly Resource[] {
  return kubevirt ? RESOURCES : RESOURCES.filter(({ group }) => group !== KUBEVIRT_GROUP);
}

/** `v1` or `<group>/v1`: the simulator knows no other version. */
export function apiVersionOf(resource: Resource): string {
  return resource.group === '' ? 'v1' : `${resource.group}/v1`;
}

/** The resource a kind is stored as; for Event the core one. */
export function resourceOf(kind: Kind): Resource {
  const resource = RESOURCES.find((candidate) => candidate.kind === kind);
  if (!resource) throw new TypeError(`Expected a kind the simulator stores, got ${JSON.stringify(kind)}`);
  return resource;
}

/** The object as this resource serves it. */
export function served(resource: Resource, object: KubeObject): KubeObject {
  return resource.view ? resource.view.toServed(object) : object;
}
