import { createHash } from 'node:crypto';
import type { ContainerStatus, NodeTaint, ObjectDraft } from './kube-object.ts';
import { microTimestamp, timestamp } from './timestamp.ts';

/** Namespace of the kubelets' Leases. */
export const NODE_LEASE_NAMESPACE = 'kube-node-lease';

export interface NodeOptions {
  readonly name: string;
  /** Default: none. */
  readonly internalIP?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly taints?: readonly NodeTaint[];
  /** Status of the Ready condition; default `True`. */
  readonly ready?: 'True' | 'False' | 'Unknown';
  /** Default `boot-<name>-1`. */
  readonly bootId?: string;
  /** `systemUUID` of the machine. Default `machine-<name>`. */
  readonly systemUuid?: string;
  readonly volumesInUse?: readonly string[];
}

export interface VolumeOptions {
  /** Name of the PersistentVolume. */
  readonly name: string;
  /** `namespace/name` of its claim; without a namespace `default`. Absent: an unbound volume. */
  readonly claim?: string;
  readonly handle: string;
  readonly driver: string;
  /** Default ReadWriteOnce. */
  readonly accessModes?: readonly string[];
  readonly attributes?: Readonly<Record<string, string>>;
  /** Kubernetes quantity; default `1Gi`. */
  readonly size?: string;
}

export interface PodOptions {
  readonly name: string;
  readonly namespace?: string;
  /** Absent: not bound yet. */
  readonly nodeName?: string;
  /** Names of the claims it mounts, in its own namespace. */
  readonly claims?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  /** Its controller; absent: no controller creates it again. */
  readonly owner?: { readonly kind: string; readonly name: string; readonly uid?: string };
  /** Address of its node, as its kubelet reports it. */
  readonly hostIP?: string;
  /** Default `Running` when bound, `Pending` otherwise. A Running pod has a running container. */
  readonly phase?: string;
  readonly finalizers?: readonly string[];
}

export interface AttachmentOptions {
  /** Default: as the attach-detach controller names it. */
  readonly name?: string;
  readonly attacher: string;
  readonly nodeName: string;
  readonly persistentVolume: string;
  readonly volumeHandle: string;
  /** `status.attached`, with external-attacher's finalizer; default true. */
  readonly attached?: boolean;
}

export interface StatefulSetOptions {
  readonly name: string;
  readonly namespace?: string;
  /** Default 1. */
  readonly replicas?: number;
  /** Name of the claim template: replica 0 mounts the claim `<claim>-<name>-0`. Default `data`. */
  readonly claim?: string;
}

export function nodeManifest(options: NodeOptions, nowMs: number): ObjectDraft<'Node'> {
  const {
    name,
    internalIP,
    labels,
    annotations,
    taints,
    ready = 'True',
    bootId = `boot-${name}-1`,
    systemUuid = `machine-${name}`,
  } = options;
  const hostname = { type: 'Hostname', address: name };
  return {
    kind: 'Node',
    metadata: {
      name,
      labels: { 'kubernetes.io/hostname': name, ...labels },
      ...(annotations && { annotations }),
    },
    spec: { ...(taints && { taints }) },
    status: {
      addresses: internalIP ? [{ type: 'InternalIP', address: internalIP }, hostname] : [hostname],
      conditions: [
        {
          type: 'Ready',
          status: ready,
          reason: ready === 'True' ? 'KubeletReady' : 'NodeStatusUnknown',
          lastHeartbeatTime: timestamp(nowMs),
          lastTransitionTime: timestamp(nowMs),
        },
      ],
      nodeInfo: {
        bootID: bootId,
        systemUUID: systemUuid,
        machineID: systemUuid,
        kubeletVersion: 'v1.36.0',
        operatingSystem: 'linux',
        architecture: 'amd64',
      },
      volumesInUse: options.volumesInUse ?? [],
      volumesAttached: [],
    },
  };
}

/** A kubelet's Lease, renewed at `nowMs`. */
export function leaseManifest(nodeName: string, nowMs: number): ObjectDraft<'Lease'> {
  return {
    kind: 'Lease',
    metadata: { name: nodeName, namespace: NODE_LEASE_NAMESPACE },
    spec: { holderIdentity: nodeName, leaseDurationSeconds: 40, renewTime: microTimestamp(nowMs) },
  };
}

export function volumeManifest(options: VolumeOptions, claimUid?: string): ObjectDraft<'PersistentVolume'> {
  const { name, handle, driver, accessModes = ['ReadWriteOnce'], attributes, size = '1Gi' } = options;
  const claim = options.claim === undefined ? undefined : claimRef(options.claim);
  return {
    kind: 'PersistentVolume',
    metadata: { name },
    spec: {
      accessModes,
      capacity: { storage: size },
      persistentVolumeReclaimPolicy: 'Retain',
      csi: {
        driver,
        volumeHandle: handle,
        fsType: 'ext4',
        ...(attributes && { volumeAttributes: attributes }),
      },
      ...(claim && {
        claimRef: {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          ...claim,
          ...(claimUid && { uid: claimUid }),
        },
      }),
    },
    status: { phase: claim ? 'Bound' : 'Available' },
  };
}

export function claimManifest(
  options: VolumeOptions & { readonly claim: string },
): ObjectDraft<'PersistentVolumeClaim'> {
  const { accessModes = ['ReadWriteOnce'], size = '1Gi', name } = options;
  return {
    kind: 'PersistentVolumeClaim',
    metadata: claimRef(options.claim),
    spec: { accessModes, resources: { requests: { storage: size } }, volumeName: name },
    status: { phase: 'Bound', accessModes },
  };
}

/** What a kubelet reports of a container that runs. */
export const RUNNING_CONTAINER: ContainerStatus = { name: 'main', state: { running: {} } };

export function podManifest(options: PodOptions): ObjectDraft<'Pod'> {
  const { name, namespace = 'default', nodeName, claims = [], labels, owner, hostIP, finalizers } = options;
  const phase = options.phase ?? (nodeName ? 'Running' : 'Pending');
  const ownerApi = owner?.kind === 'ReplicaSet' || owner?.kind === 'StatefulSet' ? 'apps/v1' : 'v1';
  return {
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      ...(labels && { labels }),
      ...(finalizers && { finalizers }),
      ...(owner && {
        ownerReferences: [{ apiVersion: ownerApi, uid: `uid-${owner.name}`, ...owner, controller: true }],
      }),
    },
    spec: {
      ...(nodeName && { nodeName }),
      terminationGracePeriodSeconds: 30,
      containers: [{ name: 'main', image: 'example.test/app:1' }],
      volumes: claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })),
    },
    status: {
      phase,
      ...(phase === 'Running' && { containerStatuses: [RUNNING_CONTAINER] }),
      ...(hostIP && { hostIP, hostIPs: [{ ip: hostIP }] }),
    },
  };
}

export function attachmentManifest(options: AttachmentOptions): ObjectDraft<'VolumeAttachment'> {
  const { attacher, nodeName, persistentVolume, volumeHandle, attached = true } = options;
  return {
    kind: 'VolumeAttachment',
    metadata: {
      name: options.name ?? attachmentName(volumeHandle, attacher, nodeName),
      ...(attached && { finalizers: [attacherFinalizer(attacher)] }),
    },
    spec: { attacher, nodeName, source: { persistentVolumeName: persistentVolume } },
    status: { attached },
  };
}

export function statefulSetManifest(options: StatefulSetOptions): ObjectDraft<'StatefulSet'> {
  const { name, namespace = 'default', replicas = 1, claim = 'data' } = options;
  return {
    kind: 'StatefulSet',
    metadata: { name, namespace },
    spec: {
      replicas,
      template: { metadata: { labels: { app: name } } },
      volumeClaimTemplates: [{ metadata: { name: claim } }],
    },
  };
}

/** The attach-detach controller's name for a VolumeAttachment: the same for the same volume and node, whatever its uid. */
export function attachmentName(volumeHandle: string, driver: string, nodeName: string): string {
  return `csi-${createHash('sha256')
    .update(volumeHandle + driver + nodeName)
    .digest('hex')}`;
}

/** The finalizer external-attacher puts on the VolumeAttachments of a driver. */
export function attacherFinalizer(driver: string): string {
  return `external-attacher/${driver.replaceAll(/[^a-zA-Z0-9-]/g, '-')}`;
}

/** The name of a volume in a Node's volumesInUse and volumesAttached. */
export function uniqueVolumeName(driver: string, volumeHandle: string): string {
  return `kubernetes.io/csi/${driver}^${volumeHandle}`;
}

/** Splits `namespace/name`; without a namespace it is `default`. */
export function claimRef(claim: string): { readonly namespace: string; readonly name: string } {
  const [first = '', second] = claim.split('/');
  return second === undefined ? { namespace: 'default', name: first } : { namespace: first, name: second };
}
