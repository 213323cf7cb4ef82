import type { Clock } from '@reattach/core';
import { type Answer, answer, requestFilter } from './api.ts';
import { failureStatus, KubeSimError } from './kube-sim-error.ts';
import {
  claimManifest,
  leaseManifest,
  type NodeOptions,
  nodeManifest,
  type PodOptions,
  podManifest,
  type StatefulSetOptions,
  statefulSetManifest,
  type VolumeOptions,
  volumeManifest,
} from './manifests.ts';
import { type Change, ObjectStore } from './object-store.ts';
import type { LoggedRequest } from './request-log.ts';
import { apiVersionOf, type Resource, served, servedResources } from './resource.ts';
import { parseRoute, type Route } from './route.ts';
import type { ObjectFilter } from './selector.ts';
import { watchStart } from './watch-start.ts';

/** A request that reached the server. */
export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly contentType?: string;
}

/** What a watch sends. Objects are those of the store, frozen. */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: object;
}

/** An open watch; disposal ends it at the server. */
export interface ServerWatch extends Disposable {
  /** Sends a bookmark with the version of the store. */
  sendBookmark(): void;
}

export interface InProcessApiOptions {
  readonly clock: Clock;
  /** Serves KubeVirt's migrations. Default false. */
  readonly kubevirt?: boolean;
  /** Changes kept for watches. Default 5 000. */
  readonly historyLimit?: number;
}

type CollectionRoute = Extract<Route, { kind: 'collection' }>;

/** The API server without HTTP: requests and watches are function calls, and nothing is turned into text. */
export class InProcessApi {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly #resources: readonly Resource[];

  constructor({ clock, kubevirt = false, historyLimit = 5_000 }: InProcessApiOptions) {
    this.clock = clock;
    this.store = new ObjectStore(clock, historyLimit, '11111111-2222-4333-8444-555555555555');
    this.#resources = servedResources(kubevirt);
  }

  /** Carries out a request. A refusal is an answer with its status, too. */
  request(request: ApiRequest): Answer {
    try {
      return answer(this.store, parseRoute(request.path, this.#resources), this.#logged(request, false));
    } catch (error) {
      if (!(error instanceof KubeSimError)) throw error;
      return { status: error.httpStatus, body: error.toStatus() };
    }
  }

  /**
   * Opens a watch: sends what is due at once, then every later change, through `send`.
   * @throws {KubeSimError} as the server refuses it.
   */
  watch(request: ApiRequest, send: (event: WatchEvent) => void): ServerWatch {
    const route = parseRoute(request.path, this.#resources);
    if (route?.kind !== 'collection')
      throw new KubeSimError('NotFound', 'the server could not find the requested resource');
    const logged = this.#logged(request, true);
    const filter = requestFilter(route, logged);
    const { resource } = route;
    const start = watchStart(logged.query, true);
    const follow = (change: Change) => {
      if (change.kind !== resource.kind) return;
      const event = asSeen(change, resource, filter);
      if (event) send(event);
    };
    const bookmarks = logged.query['allowWatchBookmarks'] === 'true';
    const sendBookmark = (annotations?: Readonly<Record<string, string>>) => {
      if (bookmarks) send({ type: 'BOOKMARK', object: this.#bookmark(route, annotations) });
    };
    if (start.kind === 'everything') {
      for (const object of this.store.list(resource.kind)) {
        if (filter(served(resource, object))) send({ type: 'ADDED', object: served(resource, object) });
      }
      if (start.streaming) sendBookmark({ 'k8s.io/initial-events-end': 'true' });
    }
    if (start.kind === 'after') {
      for (const change of this.store.changesSince(resource.kind, start.resourceVersion)) follow(change);
    }
    const subscription = this.store.subscribe(follow);
    return {
      sendBookmark: () => sendBookmark(),
      [Symbol.dispose]: () => subscription[Symbol.dispose](),
    };
  }

  /** Adds a Node and its fresh Lease. */
  addNode(options: NodeOptions): void {
    this.store.create(nodeManifest(options, this.clock.now()));
    if (!this.store.get('Lease', options.name, 'kube-node-lease'))
      this.store.create(leaseManifest(options.name, this.clock.now()));
  }

  /** Adds a CSI PersistentVolume and the claim bound to it. */
  addVolume(options: VolumeOptions & { readonly claim: string }): void {
    const claim = this.store.create(claimManifest(options));
    this.store.create(volumeManifest(options, claim.metadata.uid));
  }

  addPod(options: PodOptions): void {
    this.store.create(podManifest(options));
  }

  /** Adds a StatefulSet whose pods mount one claim of each template. */
  addStatefulSet({ claims, ...options }: StatefulSetOptions & { readonly claims: readonly string[] }): void {
    const manifest = statefulSetManifest(options);
    const volumeClaimTemplates = claims.map((name) => ({ metadata: { name } }));
    this.store.create({ ...manifest, spec: { ...(manifest['spec'] as object), volumeClaimTemplates } });
  }

  #logged({ method, path, query = {}, body, contentType }: ApiRequest, watch: boolean): LoggedRequest {
    return {
      seq: 0,
      atMs: this.clock.now(),
      method,
      path,
      query,
      watch,
      ...(body !== undefined && { body }),
      ...(contentType !== undefined && { contentType }),
    };
  }

  #bookmark({ resource }: CollectionRoute, annotations?: Readonly<Record<string, string>>): object {
    return {
      kind: resource.kind,
      apiVersion: apiVersionOf(resource),
      metadata: {
        resourceVersion: String(this.store.resourceVersion),
        creationTimestamp: null,
        ...(annotations && { annotations }),
      },
    };
  }
}

/** An object that starts or stops to match the selectors is ADDED or DELETED for the watcher. */
function asSeen(
  { type, object, previous }: Change,
  resource: Resource,
  filter: ObjectFilter,
): WatchEvent | undefined {
  const shown = served(resource, object);
  const now = type !== 'DELETED' && filter(shown);
  const before = previous !== undefined && filter(served(resource, previous));
  if (!now && !before) return undefined;
  return { type: now ? (before ? 'MODIFIED' : 'ADDED') : 'DELETED', object: shown };
}

/** An answer of the server to something that went wrong in itself. */
export function serverFailure(status: number, reason: string, message: string): Answer {
  return { status, body: failureStatus(status, reason, message) };
}
