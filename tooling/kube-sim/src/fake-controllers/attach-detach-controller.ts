import type { PodObject } from '../kube-object.ts';
import { attachmentManifest, attachmentName } from '../manifests.ts';
import { ControlLoop, earliest, type FakeControllerContext } from './control-loop.ts';
import { hasTaint, isReady, OUT_OF_SERVICE_TAINT } from './node-state.ts';
import { type CsiVolume, csiVolume, hasStopped, isFinished, isTerminating, volumesOf } from './pod-state.ts';
import { recordWarning } from './record-event.ts';

export interface AttachDetachOptions {
  /**
   * How long a volume in use on a node that is not Ready waits for its detach, ms. Default 360 000; `Infinity`: without end, as
   * with `--disable-force-detach-on-timeout`.
   */
  readonly forceDetachMs?: number;
  /**
   * Detach at once what is attached to a Node that does not exist. Default false.
   * @see https://github.com/kubernetes/kubernetes/pull/136029
   */
  readonly detachesFromDeletedNodes?: boolean;
  /** `--attach-detach-reconcile-sync-period`, ms: when it looks whether its VolumeAttachments still exist. Default 60 000. */
  readonly syncPeriodMs?: number;
  /** Longest time from a change to its pass, ms. Default 100. */
  readonly loopMs?: number;
}

/** A volume some pods on a node need. */
interface Wanted {
  readonly volume: CsiVolume;
  readonly nodeName: string;
  readonly pods: PodObject[];
}

/** What the controller believes about one volume on one node. */
interface Attachment {
  readonly volume: CsiVolume;
  readonly nodeName: string;
  /** `attaching` and `detaching`: an operation is running, which watches its VolumeAttachment. */
  state: 'attaching' | 'attached' | 'detaching';
  /** When it was first seen that no pod needs it. */
  unneededSinceMs?: number;
}

/**
 * Fakes the attach-detach controller of kube-controller-manager, with its two worlds: what pods want (read afresh in
 * each pass) and what is attached (its own books, which a delete of a VolumeAttachment by others does not change until
 * the next sync).
 * @see kubernetes `pkg/controller/volume/attachdetach/reconciler/reconciler.go`, `pkg/volume/csi/csi_attacher.go`
 */
export class AttachDetachController implements Disposable {
  readonly #context: FakeControllerContext;
  readonly #forceDetachMs: number;
  readonly #detachesFromDeletedNodes: boolean;
  readonly #syncPeriodMs: number;
  readonly #cleanup = new DisposableStack();
  /** By VolumeAttachment name. */
  readonly #books = new Map<string, Attachment>();
  /** The last volumesInUse of every Node ever seen: a deleted Node keeps its own. */
  readonly #inUse = new Map<string, readonly string[]>();
  /** Pods and volumes whose Multi-Attach error was reported and goes on. */
  #multiAttach = new Set<string>();
  #lastSyncMs: number;

  constructor(context: FakeControllerContext, options: AttachDetachOptions = {}) {
    const { forceDetachMs = 360_000, syncPeriodMs = 60_000, loopMs = 100 } = options;
    this.#detachesFromDeletedNodes = options.detachesFromDeletedNodes ?? false;
    const { store, clock } = context;
    this.#context = context;
    this.#forceDetachMs = forceDetachMs;
    this.#syncPeriodMs = syncPeriodMs;
    this.#lastSyncMs = clock.now();
    for (const { metadata, status } of store.list('Node'))
      this.#inUse.set(metadata.name, status?.volumesInUse ?? []);
    this.#adoptAttachments();
    this.#cleanup.use(
      store.subscribe((change) => {
        if (change.kind !== 'Node') return;
        const { volumesInUse = [] } = (change.object['status'] ?? {}) as { volumesInUse?: readonly string[] };
        this.#inUse.set(change.object.metadata.name, volumesInUse);
      }),
    );
    this.#cleanup.use(
      new ControlLoop({
        ...context,
        kinds: ['Node', 'Pod', 'PersistentVolume', 'PersistentVolumeClaim', 'VolumeAttachment'],
        delayMs: loopMs,
        pass: () => this.#pass(),
      }),
    );
  }

  [Symbol.dispose](): void {
    this.#cleanup.dispose();
  }

  /** What it finds at its start is in its books, as after a restart of kube-controller-manager. */
  #adoptAttachments(): void {
    const { store } = this.#context;
    for (const { metadata, spec, status } of store.list('VolumeAttachment')) {
      const volume = spec?.source.persistentVolumeName && csiVolume(store, spec.source.persistentVolumeName);
      if (!spec || !volume || metadata.name !== attachmentName(volume.handle, volume.driver, spec.nodeName))
        continue;
      const isAttached = status?.attached === true && metadata.deletionTimestamp === undefined;
      const state = isAttached ? 'attached' : 'attaching';
      this.#books.set(metadata.name, { volume, nodeName: spec.nodeName, state });
    }
  }

  #pass(): number | undefined {
    const wanted = this.#wanted();
    this.#syncWhenDue();
    this.#followOperations();
    const deadlines = this.#detachUnneeded(wanted);
    this.#attachWanted(wanted);
    this.#reportAttached();
    const nothingToSync = this.#books.size === 0;
    return earliest(nothingToSync ? deadlines : [...deadlines, this.#lastSyncMs + this.#syncPeriodMs]);
  }

  /** What the pods need. A Terminating pod needs its volumes as long as its containers may run. */
  #wanted(): ReadonlyMap<string, Wanted> {
    const { store } = this.#context;
    const wanted = new Map<string, Wanted>();
    for (const pod of store.list('Pod')) {
      const nodeName = pod.spec?.nodeName;
      if (!nodeName || isFinished(pod) || (isTerminating(pod) && hasStopped(pod))) continue;
      for (const volume of volumesOf(store, pod).volumes) {
        const name = attachmentName(volume.handle, volume.driver, nodeName);
        const entry = wanted.get(name) ?? { volume, nodeName, pods: [] };
        entry.pods.push(pod);
        wanted.set(name, entry);
      }
    }
    return wanted;
  }

  /** `VerifyVolumesAreAttached`: only here it notices that others deleted a VolumeAttachment. */
  #syncWhenDue(): void {
    const { store, clock } = this.#context;
    if (clock.now() < this.#lastSyncMs + this.#syncPeriodMs) return;
    this.#lastSyncMs = clock.now();
    for (const [name, { state }] of this.#books) {
      if (state === 'attached' && !store.get('VolumeAttachment', name)?.status?.attached)
        this.#books.delete(name);
    }
  }

  #followOperations(): void {
    for (const [name, entry] of this.#books) {
      if (entry.state === 'attached') continue;
      const attachment = this.#context.store.get('VolumeAttachment', name);
      if (!attachment) this.#books.delete(name);
      else if (entry.state === 'attaching' && !attachment.metadata.deletionTimestamp) {
        if (attachment.status?.attached) entry.state = 'attached';
      }
    }
  }

  /** @returns when force-detaches become due. */
  #detachUnneeded(wanted: ReadonlyMap<string, Wanted>): readonly number[] {
    const { store, clock } = this.#context;
    const deadlines: number[] = [];
    for (const [name, entry] of this.#books) {
      if (wanted.has(name)) {
        delete entry.unneededSinceMs;
        continue;
      }
      if (entry.state === 'detaching') continue;
      entry.unneededSinceMs ??= clock.now();
      const forceAtMs = entry.unneededSinceMs + this.#forceDetachMs;
      const isTimedOut = clock.now() >= forceAtMs;
      const node = store.get('Node', entry.nodeName);
      const isDeleted = node === undefined && this.#detachesFromDeletedNodes;
      const isForced = isDeleted || (isTimedOut && !isReady(node)) || hasTaint(node, OUT_OF_SERVICE_TAINT);
      if (isForced || !this.#isInUse(entry)) this.#detach(name, entry);
      else if (!isTimedOut) deadlines.push(forceAtMs);
    }
    return deadlines;
  }

  /** A volume on a Node never seen counts as in use. */
  #isInUse({ volume, nodeName }: Attachment): boolean {
    return this.#inUse.get(nodeName)?.includes(volume.uniqueName) ?? true;
  }

  /** The Node's volumesAttached first, then the VolumeAttachment. */
  #detach(name: string, entry: Attachment): void {
    const { store } = this.#context;
    entry.state = 'detaching';
    this.#reportAttached();
    if (store.get('VolumeAttachment', name)) store.delete('VolumeAttachment', name);
    if (!store.get('VolumeAttachment', name)) this.#books.delete(name);
  }

  #attachWanted(wanted: ReadonlyMap<string, Wanted>): void {
    const { store } = this.#context;
    const reported = this.#multiAttach;
    this.#multiAttach = new Set();
    for (const [name, entry] of wanted) {
      if (this.#books.has(name)) continue;
      const { volume, nodeName, pods } = entry;
      const elsewhere = [...this.#books.values()].filter(
        (other) => other.volume.uniqueName === volume.uniqueName,
      );
      if (!volume.multiAttach && elsewhere.length > 0) {
        // Waits without a word for an operation that runs on the volume.
        if (elsewhere.some(({ state }) => state !== 'attached')) continue;
        for (const pod of pods) {
          const key = `${pod.metadata.uid} ${name}`;
          this.#multiAttach.add(key);
          if (!reported.has(key)) this.#reportMultiAttach(pod, entry, wanted);
        }
        continue;
      }
      const attachment = store.get('VolumeAttachment', name);
      const isAttached = attachment?.status?.attached && !attachment.metadata.deletionTimestamp;
      this.#books.set(name, { volume, nodeName, state: isAttached ? 'attached' : 'attaching' });
      if (attachment) continue;
      const { driver: attacher, handle: volumeHandle, persistentVolume } = volume;
      store.create(
        attachmentManifest({ attacher, nodeName, persistentVolume, volumeHandle, attached: false }),
      );
    }
  }

  #reportMultiAttach(
    pod: PodObject,
    { volume, nodeName }: Wanted,
    wanted: ReadonlyMap<string, Wanted>,
  ): void {
    const users = [...wanted.values()]
      .filter((other) => other.volume.uniqueName === volume.uniqueName && other.nodeName !== nodeName)
      .flatMap((other) => other.pods)
      .filter(({ metadata }) => metadata.namespace === pod.metadata.namespace)
      .map(({ metadata }) => metadata.name);
    const why =
      users.length > 0
        ? `Volume is already used by pod(s) ${users.join(', ')}`
        : "Volume is already exclusively attached to one node and can't be attached to another";
    recordWarning(this.#context, pod, {
      component: 'attachdetach-controller',
      reason: 'FailedAttachVolume',
      message: `Multi-Attach error for volume "${volume.persistentVolume}" ${why}`,
    });
  }

  /** Keeps `status.volumesAttached` of every Node as the books say. */
  #reportAttached(): void {
    const { store } = this.#context;
    for (const { metadata, status } of store.list('Node')) {
      const attached = [...this.#books.values()]
        .filter(({ state, nodeName }) => state === 'attached' && nodeName === metadata.name)
        .map(({ volume }) => volume.uniqueName)
        .toSorted();
      const reported = (status?.volumesAttached ?? []).map(({ name }) => name);
      if (attached.join() === reported.join()) continue;
      const volumesAttached = attached.map((name) => ({ name, devicePath: '' }));
      store.patch('Node', metadata.name, { status: { volumesAttached } });
    }
  }
}
