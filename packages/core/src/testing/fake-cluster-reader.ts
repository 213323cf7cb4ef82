import type {
  CacheFreshness,
  NodeFact,
  NodeLeaseFact,
  PersistentVolumeFact,
  PodFact,
  VolumeAttachmentFact,
} from '../model/facts.ts';
import type { Clock } from '../ports/clock.ts';
import type { CacheRevisions, ClusterReader } from '../ports/ports.ts';

/** A cluster in maps. Synced and fresh as of now, unless set otherwise. */
export class FakeClusterReader implements ClusterReader {
  /** `false`: `freshness()` says so. */
  synced = true;
  /** Age of the oldest cache, ms. */
  staleMs = 0;
  readonly #clock: Clock;
  readonly #nodes = new Map<string, NodeFact>();
  readonly #lastSeen = new Map<string, NodeFact>();
  readonly #attachments = new Map<string, VolumeAttachmentFact>();
  readonly #volumes = new Map<string, PersistentVolumeFact>();
  readonly #pods = new Map<string, PodFact>();
  readonly #leases = new Map<string, NodeLeaseFact>();
  readonly #migratingClaims = new Set<string>();
  #revisions: CacheRevisions = { nodes: 0, volumeAttachments: 0, persistentVolumes: 0 };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  setNode(node: NodeFact): void {
    this.#nodes.set(node.name, node);
    this.#lastSeen.delete(node.name);
    this.#changed('nodes');
  }

  /** The Node is gone; its last state stays known unless `forgotten`. */
  removeNode(name: string, options: { readonly forgotten?: boolean } = {}): void {
    const node = this.#nodes.get(name);
    this.#nodes.delete(name);
    if (node && !options.forgotten) this.#lastSeen.set(name, node);
    this.#changed('nodes');
  }

  setVolumeAttachment(attachment: VolumeAttachmentFact): void {
    this.#attachments.set(attachment.name, attachment);
    this.#changed('volumeAttachments');
  }

  removeVolumeAttachment(name: string): void {
    this.#attachments.delete(name);
    this.#changed('volumeAttachments');
  }

  setPersistentVolume(volume: PersistentVolumeFact): void {
    this.#volumes.set(volume.name, volume);
    this.#changed('persistentVolumes');
  }

  removePersistentVolume(name: string): void {
    this.#volumes.delete(name);
    this.#changed('persistentVolumes');
  }

  setPod(pod: PodFact): void {
    this.#pods.set(`${pod.namespace}/${pod.name}`, pod);
  }

  removePod(namespace: string, name: string): void {
    this.#pods.delete(`${namespace}/${name}`);
  }

  setNodeLease(lease: NodeLeaseFact): void {
    this.#leases.set(lease.nodeName, lease);
  }

  /** KubeVirt migrates a virtual machine that uses the claim, or does no longer. */
  setClaimMigrating(namespace: string, claimName: string, migrating = true): void {
    const key = `${namespace}/${claimName}`;
    if (migrating) this.#migratingClaims.add(key);
    else this.#migratingClaims.delete(key);
  }

  revisions(): CacheRevisions {
    return this.#revisions;
  }

  freshness(): CacheFreshness {
    return {
      synced: this.synced,
      freshAsOfMs: this.synced ? this.#clock.now() - this.staleMs : 0,
      detail: this.synced ? `oldest cache is ${this.staleMs} ms old` : 'not synced',
    };
  }

  node(name: string): NodeFact | undefined {
    return this.#nodes.get(name);
  }

  nodes(): Iterable<NodeFact> {
    return this.#nodes.values();
  }

  lastSeenNode(name: string): NodeFact | undefined {
    return this.#lastSeen.get(name);
  }

  volumeAttachments(): Iterable<VolumeAttachmentFact> {
    return this.#attachments.values();
  }

  persistentVolume(name: string): PersistentVolumeFact | undefined {
    return this.#volumes.get(name);
  }

  persistentVolumesOfClaim(namespace: string, claimName: string): Iterable<PersistentVolumeFact> {
    return [...this.#volumes.values()].filter(
      ({ claim, released }) => claim?.namespace === namespace && claim.name === claimName && !released,
    );
  }

  podsOnNode(nodeName: string): Iterable<PodFact> {
    return [...this.#pods.values()].filter((pod) => pod.nodeName === nodeName);
  }

  nodeLease(nodeName: string): NodeLeaseFact | undefined {
    return this.#leases.get(nodeName);
  }

  leasesFreshAsOfMs(): number | undefined {
    return this.#leases.size === 0 ? undefined : this.#clock.now() - this.staleMs;
  }

  isClaimMigrating(namespace: string, claimName: string): boolean {
    return this.#migratingClaims.has(`${namespace}/${claimName}`);
  }

  #changed(kind: keyof CacheRevisions): void {
    this.#revisions = { ...this.#revisions, [kind]: this.#revisions[kind] + 1 };
  }
}
