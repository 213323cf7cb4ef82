/** The parts of Kubernetes objects that the simulator and its fake controllers read. Objects may carry any other field, too. */

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
}

export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly creationTimestamp: string;
  readonly generateName?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
}

/** Any API object. Stored objects are deeply frozen: a write replaces the object, never changes it. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
}

export interface NodeTaint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
  readonly timeAdded?: string;
}

export interface Toleration {
  readonly key?: string;
  readonly operator?: string;
  readonly value?: string;
  readonly effect?: string;
  readonly tolerationSeconds?: number;
}

export interface NodeCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastHeartbeatTime?: string;
  readonly lastTransitionTime?: string;
}

export interface NodeObject extends KubeObject {
  readonly spec?: { readonly taints?: readonly NodeTaint[]; readonly unschedulable?: boolean };
  readonly status?: {
    readonly addresses?: readonly { readonly type: string; readonly address: string }[];
    readonly conditions?: readonly NodeCondition[];
    readonly nodeInfo?: { readonly bootID?: string };
    readonly volumesInUse?: readonly string[];
    readonly volumesAttached?: readonly { readonly name: string; readonly devicePath: string }[];
  };
}

/** The state of one container: one of the three. */
export interface ContainerStatus {
  readonly name: string;
  readonly state: { readonly waiting?: object; readonly running?: object; readonly terminated?: object };
}

export interface PodObject extends KubeObject {
  readonly spec?: {
    readonly nodeName?: string;
    readonly terminationGracePeriodSeconds?: number;
    readonly containers?: readonly { readonly name: string; readonly image: string }[];
    readonly tolerations?: readonly Toleration[];
    readonly volumes?: readonly {
      readonly name: string;
      readonly persistentVolumeClaim?: { readonly claimName: string };
    }[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly object[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

export interface PersistentVolumeObject extends KubeObject {
  readonly spec?: {
    readonly accessModes?: readonly string[];
    readonly claimRef?: { readonly namespace: string; readonly name: string; readonly uid?: string };
    readonly csi?: {
      readonly driver: string;
      readonly volumeHandle: string;
      readonly volumeAttributes?: Readonly<Record<string, string>>;
    };
  };
}

export interface PersistentVolumeClaimObject extends KubeObject {
  readonly spec?: { readonly volumeName?: string };
}

export interface VolumeAttachmentObject extends KubeObject {
  readonly spec?: {
    readonly attacher: string;
    readonly nodeName: string;
    readonly source: { readonly persistentVolumeName?: string };
  };
  readonly status?: {
    readonly attached?: boolean;
    readonly attachError?: { readonly message?: string };
    readonly detachError?: { readonly message?: string };
  };
}

export interface LeaseObject extends KubeObject {
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly renewTime?: string;
    readonly leaseDurationSeconds?: number;
    readonly leaseTransitions?: number;
  };
}

export interface EventObject extends KubeObject {
  readonly involvedObject?: {
    readonly kind?: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly uid?: string;
  };
  readonly reason?: string;
  readonly message?: string;
  readonly type?: string;
  readonly count?: number;
}

export interface StatefulSetObject extends KubeObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly podManagementPolicy?: string;
    readonly template?: { readonly metadata?: { readonly labels?: Readonly<Record<string, string>> } };
    readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
  };
}

/** A live migration of KubeVirt (kubevirt.io/v1). */
export interface VirtualMachineInstanceMigrationObject extends KubeObject {
  readonly spec?: { readonly vmiName?: string };
  readonly status?: { readonly phase?: string };
}

/** What the store returns for each kind. */
export interface KindMap {
  readonly Node: NodeObject;
  readonly Pod: PodObject;
  readonly PersistentVolume: PersistentVolumeObject;
  readonly PersistentVolumeClaim: PersistentVolumeClaimObject;
  readonly Namespace: KubeObject;
  readonly Event: EventObject;
  readonly VolumeAttachment: VolumeAttachmentObject;
  readonly CSINode: KubeObject;
  readonly Lease: LeaseObject;
  readonly StatefulSet: StatefulSetObject;
  readonly VirtualMachineInstanceMigration: VirtualMachineInstanceMigrationObject;
}

/** Kinds the simulator stores. */
export type Kind = keyof KindMap;

/** An object as a writer hands it in: the server fills in uid, creationTimestamp and resourceVersion. */
export interface ObjectDraft<K extends Kind = Kind> {
  readonly kind: K;
  readonly apiVersion?: string;
  readonly metadata: Partial<ObjectMeta>;
  readonly [field: string]: unknown;
}
