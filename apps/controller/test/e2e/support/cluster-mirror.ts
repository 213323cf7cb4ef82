import { setTimeout as sleep } from 'node:timers/promises';
import { apiPaths, type KubeApi } from '@reattach/k8s-api';
import type {
  KubeObject,
  NodeObject,
  PersistentVolumeClaimObject,
  PersistentVolumeObject,
  PodObject,
  VolumeAttachmentObject,
} from '@reattach/kube-sim';

/** What is mirrored. */
export interface Mirrored {
  Node: NodeObject;
  Pod: PodObject;
  PersistentVolume: PersistentVolumeObject;
  PersistentVolumeClaim: PersistentVolumeClaimObject;
  VolumeAttachment: VolumeAttachmentObject;
}

const PATHS: { readonly [K in keyof Mirrored]: string } = {
  Node: apiPaths.nodes,
  Pod: apiPaths.pods,
  PersistentVolume: apiPaths.persistentVolumes,
  PersistentVolumeClaim: '/api/v1/persistentvolumeclaims',
  VolumeAttachment: apiPaths.volumeAttachments,
};

/** Pause before a broken watch is made again, ms. */
const RETRY_MS = 100;

/** Something that became different at the API server. */
export interface MirrorChange {
  /** When this process learned of it, epoch ms. */
  readonly atMs: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly kind: keyof Mirrored;
  readonly object: KubeObject;
}

interface WatchLine {
  readonly type: string;
  readonly object: KubeObject;
}

interface List {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly KubeObject[];
}

/** The objects of a real API server as the fakes and the tests see them: one watch for each kind, and what it reported when. */
export class ClusterMirror {
  readonly #api: KubeApi;
  readonly #signal: AbortSignal;
  readonly #objects = new Map<keyof Mirrored, Map<string, KubeObject>>();
  readonly #listeners = new Set<() => void>();
  readonly #changes: MirrorChange[] = [];

  private constructor(api: KubeApi, signal: AbortSignal) {
    this.#api = api;
    this.#signal = signal;
  }

  /** Listed everything once; follows until `signal` aborts. */
  static async start(api: KubeApi, signal: AbortSignal): Promise<ClusterMirror> {
    const mirror = new ClusterMirror(api, signal);
    const kinds = Object.keys(PATHS) as (keyof Mirrored)[];
    await Promise.all(
      kinds.map(async (kind) => {
        const resourceVersion = await mirror.#list(kind);
        void mirror.#follow(kind, resourceVersion);
      }),
    );
    return mirror;
  }

  /** Everything that was reported, oldest first. */
  get changes(): readonly MirrorChange[] {
    return this.#changes;
  }

  list<K extends keyof Mirrored>(kind: K): readonly Mirrored[K][] {
    return [...(this.#objects.get(kind)?.values() ?? [])] as Mirrored[K][];
  }

  get<K extends keyof Mirrored>(kind: K, name: string): Mirrored[K] | undefined {
    return this.#objects.get(kind)?.get(name);
  }

  onChange(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  async #list(kind: keyof Mirrored): Promise<string> {
    const request = { method: 'GET', path: PATHS[kind], operation: 'mirror', signal: this.#signal } as const;
    const list = (await this.#api.request(request)) as List;
    const fresh = new Map(list.items.map((object) => [object.metadata.name, object]));
    for (const [name, object] of this.#objects.get(kind) ?? []) {
      if (!fresh.has(name)) this.#tell('DELETED', kind, object);
    }
    for (const object of fresh.values()) this.#tell('ADDED', kind, object);
    return list.metadata.resourceVersion;
  }

  async #follow(kind: keyof Mirrored, from: string): Promise<void> {
    let resourceVersion: string | undefined = from;
    while (!this.#signal.aborted) {
      try {
        resourceVersion ??= await this.#list(kind);
        const query = { resourceVersion, allowWatchBookmarks: 'true' };
        const lines = this.#api.watch({ path: PATHS[kind], query, signal: this.#signal });
        for await (const line of lines) {
          const { type, object } = line as WatchLine;
          if (type === 'ERROR') throw new Error('watch ended with an error');
          resourceVersion = object.metadata.resourceVersion;
          if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED') this.#tell(type, kind, object);
        }
      } catch {
        if (this.#signal.aborted) return;
        resourceVersion = undefined;
        await sleep(RETRY_MS);
      }
    }
  }

  #tell(type: MirrorChange['type'], kind: keyof Mirrored, object: KubeObject): void {
    const objects = this.#objects.get(kind) ?? new Map<string, KubeObject>();
    this.#objects.set(kind, objects);
    if (type === 'DELETED') objects.delete(object.metadata.name);
    else objects.set(object.metadata.name, object);
    this.#changes.push({ atMs: Date.now(), type, kind, object });
    for (const listener of this.#listeners) listener();
  }
}
