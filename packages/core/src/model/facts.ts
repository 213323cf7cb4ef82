/**
 * Facts about the cluster and the storage, as plain immutable data. Adapters produce them, `decide()` reads them.
 * Times are epoch ms. An object is identified by name and uid.
 */

/** A Node taint, as in `spec.taints`. */
export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}

/** An address that a Node named earlier and does not name now. */
export interface FormerAddress {
  readonly address: string;
  /** When the Node was first seen without it, epoch ms. */
  readonly lostAtMs: number;
}

/** A Node object, cut down to what decisions use. */
export interface NodeFact {
  readonly name: string;
  readonly uid: string;
  /** Condition `Ready` is `True`. `False`, `Unknown` and a missing condition are not ready. */
  readonly ready: boolean;
  /** `lastTransitionTime` of the Ready condition; absent when the condition or its time is. */
  readonly readyChangedAtMs?: number;
  /** When this process first saw the Node ready, or not ready, as it is now, by our clock; absent: not recorded. */
  readonly readyObservedAtMs?: number;
  /** `status.nodeInfo.bootID`: changes with every boot of the machine. */
  readonly bootId?: string;
  /**
   * `status.nodeInfo.systemUUID` and `machineID`, joined by `/`, lower case: names the machine. Both, because cheap boards share
   * their systemUUID and cloned disk images their machineID. Absent when the kubelet reports neither.
   */
  readonly machineId?: string;
  /**
   * Every address from which the machine may reach the storage: the InternalIPs, those that the annotation
   * `reattach.srvlab.io/storage-addresses` adds, and the former ones. May be empty.
   */
  readonly storageAddresses: readonly string[];
  /** Those of `storageAddresses` that the Node does not name any more. Absent: none, or read past the cache. */
  readonly formerAddresses?: readonly FormerAddress[];
  /** Entries of InternalIP or annotation that are not IP addresses: `storageAddresses` may be incomplete. Absent: none. */
  readonly unreadableAddresses?: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  /** Annotation `reattach.srvlab.io/clean`: the ids of fences an operator declared the node clean of, separated by commas. */
  readonly cleanFenceId?: string;
  /** Annotation `reattach.srvlab.io/out-of-service-boot-id`: the bootID when it was tainted out of service. */
  readonly outOfServiceBootId?: string;
}

/** A VolumeAttachment. */
export interface VolumeAttachmentFact {
  readonly name: string;
  readonly uid: string;
  readonly attacher: string;
  readonly nodeName: string;
  /** `spec.source.persistentVolumeName`; absent for an inline volume. */
  readonly persistentVolumeName?: string;
  /** `status.attached`. */
  readonly attached: boolean;
  readonly createdAtMs: number;
  /** `metadata.deletionTimestamp`, while the object is being deleted. */
  readonly deletingSinceMs?: number;
  /**
   * Annotation `reattach.srvlab.io/confirmed-off`: the ids of fences, separated by commas. An operator confirms that the machine
   * they cut off is powered off and that the backend has finished its writes.
   */
  readonly confirmedOffFenceId?: string;
}

/** An object's namespace, name and uid. */
export interface ObjectRef {
  readonly namespace: string;
  readonly name: string;
  readonly uid?: string;
}

/** A PersistentVolume with a CSI source. */
export interface PersistentVolumeFact {
  readonly name: string;
  readonly uid: string;
  /** `spec.csi.driver`; absent for a volume of another kind. */
  readonly driver?: string;
  /** `spec.csi.volumeHandle`; absent for a volume of another kind. */
  readonly volumeHandle?: string;
  readonly volumeAttributes: Readonly<Record<string, string>>;
  readonly accessModes: readonly string[];
  /** The kind of a volume that is not a CSI volume, as in `spec`: `nfs`, `local`, `iscsi`. Absent for CSI and unknown kinds. */
  readonly source?: string;
  readonly claim?: ObjectRef;
  /** `status.phase` is `Released` or `Failed`: the claim it names was deleted. */
  readonly released?: boolean;
}

/** A Pod that is bound to a node, with the claims it uses. */
export interface PodFact {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly nodeName: string;
  /** Names of the PersistentVolumeClaims it mounts, in its own namespace (ephemeral volumes included). */
  readonly claimNames: readonly string[];
  /**
   * Storage that its spec names directly, without a claim, and that two machines must not write at once: `data (iscsi)`.
   * Absent: none.
   */
  readonly directVolumes?: readonly string[];
  /** `metadata.finalizers`: who must agree before a deleted Pod disappears. Absent: none. */
  readonly finalizers?: readonly string[];
  /** `status.hostIPs`, else `status.hostIP`: addresses of its node as its kubelet reported them. */
  readonly hostAddresses: readonly string[];
  /** The owner with `controller: true`; absent when no controller will create the pod again. */
  readonly controller?: { readonly kind: string; readonly name: string };
  readonly deletingSinceMs?: number;
  /** It was deleted with `gracePeriodSeconds: 0`: only its finalizers keep it. */
  readonly deletedAtOnce?: boolean;
}

/** How current a cache is. */
export interface CacheFreshness {
  /** Every cache has completed its first list. */
  readonly synced: boolean;
  /** Last moment all caches were known to equal the API server (list, event, bookmark or live watch); 0 = never. */
  readonly freshAsOfMs: number;
  /** Which caches are not synced or oldest, for people. */
  readonly detail: string;
}

/** A kubelet's Lease, as this process saw it renewed. */
export interface NodeLeaseFact {
  readonly nodeName: string;
  readonly uid: string;
  /** `spec.renewTime` as text, by the kubelet's clock: compared for change only, never with our clock. */
  readonly renewTime?: string;
  /** When this process first saw this `renewTime`, by our clock. */
  readonly observedAtMs: number;
}
