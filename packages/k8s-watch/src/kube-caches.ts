import {
  type CacheFreshness,
  type CacheRevisions,
  type Clock,
  type ClusterReader,
  type NodeFact,
  type NodeLeaseFact,
  type PersistentVolumeFact,
  type PodFact,
  systemClock,
  type VolumeAttachmentFact,
} from '@reattach/core';
import { apiPaths, toPersistentVolumeFact, toPodFact, toVolumeAttachmentFact } from '@reattach/k8s-api';
import { describeFreshness } from './describe-freshness.ts';
import type { InformerHandlers } from './handler-registry.ts';
import { Informer, type InformerOptions } from './informer.ts';
import { LastSeenNodes } from './last-seen-nodes.ts';
import { type LiveMigration, MIGRATIONS_PATH, toLiveMigration, vmiOf } from './live-migration.ts';
import { toNodeFactWithHistory } from './node-addresses.ts';
import type { Identified } from './object-cache.ts';
import { WatchInstruments } from './telemetry/instruments.ts';
import { toNodeLeaseFact } from './to-node-lease-fact.ts';

/** Namespace of the kubelets' Leases. */
const LEASE_NAMESPACE = 'kube-node-lease';
/** Pods that a scheduler has not placed yet use no volume anywhere. */
const BOUND_PODS = 'spec.nodeName!=';

/** An informer, whatever it watches. */
type SomeInformer = Pick<
  Informer<Identified>,
  'resource' | 'start' | 'stop' | 'waitForSync' | 'hasSynced' | 'freshAsOfMs' | 'state'
>;

/** Options of the caches. Those of an informer apply to every cache. */
export interface KubeCachesOptions
  extends Omit<
    InformerOptions<Identified>,
    'path' | 'project' | 'indexes' | 'fieldSelector' | 'labelSelector' | 'optional'
  > {
  /** Watch the kubelets' Leases, for early detection. Default `false`. */
  readonly watchLeases?: boolean;
  /** Watch KubeVirt's migrations, where it is installed. Default `true`. */
  readonly watchMigrations?: boolean;
}

/**
 * Everything Reattach reads from the Kubernetes API, in memory. Answers are synchronous and copy nothing: use them
 * before the next `await`.
 */
export class KubeCaches implements ClusterReader, AsyncDisposable {
  readonly #clock: Clock;
  readonly #nodes: Informer<NodeFact>;
  readonly #attachments: Informer<VolumeAttachmentFact>;
  readonly #volumes: Informer<PersistentVolumeFact>;
  readonly #pods: Informer<PodFact>;
  readonly #migrations: Informer<LiveMigration> | undefined;
  readonly #leases: Informer<NodeLeaseFact> | undefined;
  readonly #lastSeen = new LastSeenNodes();
  /** Decisions need these. Leases only make them faster, so they are not among them. */
  readonly #required: readonly SomeInformer[];

  constructor({ watchLeases = false, watchMigrations = true, ...common }: KubeCachesOptions) {
    const { clock = systemClock, instruments = new WatchInstruments() } = common;
    const shared = { ...common, clock, instruments };
    this.#clock = clock;
    this.#nodes = new Informer({ ...shared, path: apiPaths.nodes, project: toNodeFactWithHistory(clock) });
    this.#attachments = new Informer({
      ...shared,
      path: apiPaths.volumeAttachments,
      project: toVolumeAttachmentFact,
      indexes: { node: ({ nodeName }) => [nodeName] },
    });
    this.#volumes = new Informer({
      ...shared,
      path: apiPaths.persistentVolumes,
      project: toPersistentVolumeFact,
      // A released volume still names its claim, whose name may belong to a new claim now.
      indexes: { claim: ({ claim, released }) => (claim && !released ? [keyOf(claim)] : []) },
    });
    this.#pods = new Informer({
      ...shared,
      path: apiPaths.pods,
      fieldSelector: BOUND_PODS,
      project: toPodFact,
      indexes: {
        node: ({ nodeName }) => [nodeName],
        claim: ({ namespace, claimNames }) => claimNames.map((name) => keyOf({ namespace, name })),
      },
    });
    if (watchMigrations) {
      this.#migrations = new Informer({
        ...shared,
        path: MIGRATIONS_PATH,
        optional: true,
        project: toLiveMigration,
        indexes: { active: ({ vmi, active }) => (active ? [vmi] : []) },
      });
    }
    if (watchLeases) {
      this.#leases = new Informer({
        ...shared,
        path: apiPaths.leases(LEASE_NAMESPACE),
        project: toNodeLeaseFact(clock),
      });
    }
    this.#nodes.addHandlers(this.#lastSeen);
    const decisive = [this.#nodes, this.#attachments, this.#volumes, this.#pods];
    this.#required = this.#migrations ? [...decisive, this.#migrations] : decisive;
  }

  /** Starts to list and watch everything. Idempotent. */
  start(): void {
    for (const informer of this.#all()) informer.start();
  }

  /** Stops everything and resolves once it has stopped. Idempotent. */
  async stop(): Promise<void> {
    await Promise.all(this.#all().map((informer) => informer.stop()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Resolves when every cache a decision rests on has completed its first list. @throws `signal.reason` when it aborts first. */
  async waitForSync(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#required.map((informer) => informer.waitForSync(signal)));
  }

  /** Every cache a decision rests on has completed its first list. */
  get hasSynced(): boolean {
    return this.#required.every((informer) => informer.hasSynced);
  }

  addNodeHandlers(handlers: InformerHandlers<NodeFact>): Disposable {
    return this.#nodes.addHandlers(handlers);
  }

  addVolumeAttachmentHandlers(handlers: InformerHandlers<VolumeAttachmentFact>): Disposable {
    return this.#attachments.addHandlers(handlers);
  }

  freshness(): CacheFreshness {
    return describeFreshness(this.#required, this.#clock.now());
  }

  revisions(): CacheRevisions {
    return {
      nodes: this.#nodes.revision,
      volumeAttachments: this.#attachments.revision,
      persistentVolumes: this.#volumes.revision,
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

  volumeAttachmentsOnNode(nodeName: string): readonly VolumeAttachmentFact[] {
    return this.#attachments.byIndex('node', nodeName);
  }

  persistentVolume(name: string): PersistentVolumeFact | undefined {
    return this.#volumes.get(name);
  }

  persistentVolumesOfClaim(namespace: string, claimName: string): readonly PersistentVolumeFact[] {
    return this.#volumes.byIndex('claim', keyOf({ namespace, name: claimName }));
  }

  podsOnNode(nodeName: string): readonly PodFact[] {
    return this.#pods.byIndex('node', nodeName);
  }

  podsUsingClaim(namespace: string, claimName: string): readonly PodFact[] {
    return this.#pods.byIndex('claim', keyOf({ namespace, name: claimName }));
  }

  nodeLease(nodeName: string): NodeLeaseFact | undefined {
    return this.#leases?.get(`${LEASE_NAMESPACE}/${nodeName}`);
  }

  leasesFreshAsOfMs(): number | undefined {
    return this.#leases?.freshAsOfMs;
  }

  isClaimMigrating(namespace: string, claimName: string): boolean {
    const migrations = this.#migrations;
    if (!migrations || migrations.size === 0) return false;
    return this.podsUsingClaim(namespace, claimName).some((pod) => {
      const vmi = vmiOf(pod, (podNamespace, name) => this.#pods.get(`${podNamespace}/${name}`));
      return vmi !== undefined && migrations.byIndex('active', vmi).length > 0;
    });
  }

  #all(): readonly SomeInformer[] {
    return this.#leases ? [...this.#required, this.#leases] : this.#required;
  }
}

function keyOf({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}/${name}`;
}
