import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '@reattach/core';
import type { Kind, KindMap, KubeObject, ObjectDraft, ObjectMeta, PodObject } from './kube-object.ts';
import { KubeSimError, type StatusReason } from './kube-sim-error.ts';
import { mergePatch } from './patch.ts';
import { apiVersionOf, resourceOf } from './resource.ts';
import { timestamp } from './timestamp.ts';

/** One write, as watchers see it. A deletion carries the last state with the resourceVersion of the deletion. */
export interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly kind: Kind;
  readonly object: KubeObject;
  /** State before the write; absent for ADDED. */
  readonly previous?: KubeObject;
  readonly resourceVersion: number;
}

/** What a DELETE asks for. */
export interface DeleteOptions {
  /** Seconds; default for a Pod: its own terminationGracePeriodSeconds, 30. Other kinds have no grace. */
  readonly gracePeriodSeconds?: number;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

/** The object after a DELETE and whether it is gone or still waiting for its grace period or finalizers. */
export interface DeleteOutcome {
  readonly object: KubeObject;
  readonly removed: boolean;
}

const NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/**
 * The state behind the API. Invariants: every effective write gets the next resourceVersion of one counter and exactly one
 * `Change`; every listener sees all changes in that order, also those made from inside a listener; stored objects never
 * change. Writes are raw: subresource rules are the API's, so tests and fake controllers may write any field.
 */
export class ObjectStore {
  readonly #clock: Clock;
  readonly #historyLimit: number;
  /** Results of `list` that are still true. */
  readonly #inOrder = new Map<Kind, readonly KubeObject[]>();
  readonly #objects = new Map<Kind, Map<string, KubeObject>>();
  /** Changes after `#compactedTo`, oldest first. */
  #history: Change[] = [];
  #compactedTo = 1;
  #version = 0;
  #created = 0;
  readonly #listeners = new Set<(change: Change) => void>();
  readonly #undelivered: Change[] = [];
  #delivering = false;

  /**
   * @param historyLimit changes kept for watches; older ones are compacted away.
   * @param clusterId uid of the namespace `kube-system`, which every cluster has from its start.
   */
  constructor(clock: Clock, historyLimit: number, clusterId: string) {
    this.#clock = clock;
    this.#historyLimit = historyLimit;
    const kubeSystem = { name: 'kube-system', uid: clusterId, creationTimestamp: timestamp(clock.now()) };
    this.#commit('ADDED', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { ...kubeSystem, resourceVersion: '' },
    });
  }

  /** resourceVersion of the last write. */
  get resourceVersion(): number {
    return this.#version;
  }

  /** The oldest resourceVersion a watch or continue token may still start from. */
  get compactedTo(): number {
    return this.#compactedTo;
  }

  get<K extends Kind>(kind: K, name: string, namespace?: string): KindMap[K] | undefined {
    return this.#objects.get(kind)?.get(keyOf(kind, name, namespace));
  }

  /** All objects of a kind, in the order of namespace and name. */
  list<K extends Kind>(kind: K): readonly KindMap[K][] {
    const known = this.#inOrder.get(kind);
    if (known) return known;
    const objects = inOrder(this.#objects.get(kind));
    this.#inOrder.set(kind, objects);
    return objects;
  }

  /**
   * All objects of a kind as they were at `resourceVersion`.
   * @throws {KubeSimError} Expired when that was compacted away.
   */
  listAt(kind: Kind, resourceVersion: number): readonly KubeObject[] {
    this.#requireHistory(resourceVersion);
    const objects = new Map(this.#objects.get(kind));
    for (const change of this.#history.toReversed()) {
      if (change.resourceVersion <= resourceVersion) break;
      if (change.kind !== kind) continue;
      const key = keyOfObject(change.object);
      if (change.previous) objects.set(key, change.previous);
      else objects.delete(key);
    }
    return inOrder(objects);
  }

  /** @throws {KubeSimError} AlreadyExists, Invalid. */
  create<K extends Kind>(draft: ObjectDraft<K>): KindMap[K] {
    const resource = resourceOf(draft.kind);
    const { generateName, namespace, ...given } = draft.metadata;
    this.#created += 1;
    const serial = this.#created;
    const name = given.name ?? (generateName && generateName + serial.toString(36).padStart(5, '0'));
    if (name === undefined || !NAME.test(name)) {
      throw failure(
        'Invalid',
        draft.kind,
        name ?? '',
        `metadata.name: Invalid value: ${JSON.stringify(name)}`,
      );
    }
    if (this.get(draft.kind, name, namespace))
      throw failure('AlreadyExists', draft.kind, name, 'already exists');
    const metadata: ObjectMeta = {
      ...given,
      name,
      ...(resource.namespaced && { namespace: namespace ?? 'default' }),
      ...(generateName && { generateName }),
      uid: `00000000-0000-4000-8000-${serial.toString(16).padStart(12, '0')}`,
      creationTimestamp: timestamp(this.#clock.now()),
      resourceVersion: '',
    };
    return this.#commit('ADDED', { apiVersion: apiVersionOf(resource), ...draft, metadata });
  }

  /**
   * Replaces an object. A write that changes nothing makes no new resourceVersion; one that empties the finalizers of a
   * deleted object removes it.
   * @throws {KubeSimError} NotFound, Conflict for another uid or resourceVersion, Invalid for a new finalizer during deletion.
   */
  update<K extends Kind>(object: ObjectDraft<K>): KindMap[K] {
    const { kind, metadata } = object;
    const name = metadata.name ?? '';
    const current = this.#require(kind, name, metadata.namespace);
    const was = current.metadata;
    if (metadata.uid !== undefined && metadata.uid !== was.uid) {
      throw failure(
        'Conflict',
        kind,
        name,
        `Precondition failed: UID in object meta: ${was.uid}, in request: ${metadata.uid}`,
      );
    }
    if (metadata.resourceVersion !== undefined && metadata.resourceVersion !== was.resourceVersion) {
      throw failure(
        'Conflict',
        kind,
        name,
        'the object has been modified; please apply your changes to the latest version and try again',
      );
    }
    const added = metadata.finalizers?.filter((finalizer) => !was.finalizers?.includes(finalizer)) ?? [];
    if (was.deletionTimestamp !== undefined && added.length > 0) {
      throw failure(
        'Invalid',
        kind,
        name,
        `metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify(added)}`,
      );
    }
    const { deletionTimestamp: _time, deletionGracePeriodSeconds: _grace, ...writable } = metadata;
    const next: KubeObject = {
      ...object,
      apiVersion: current.apiVersion,
      metadata: {
        ...writable,
        name,
        ...(was.namespace !== undefined && { namespace: was.namespace }),
        uid: was.uid,
        creationTimestamp: was.creationTimestamp,
        resourceVersion: was.resourceVersion,
        ...(was.deletionTimestamp !== undefined && { deletionTimestamp: was.deletionTimestamp }),
        ...(was.deletionGracePeriodSeconds !== undefined && {
          deletionGracePeriodSeconds: was.deletionGracePeriodSeconds,
        }),
      },
    };
    if (isDeepStrictEqual(next, current)) return current;
    const finished =
      was.deletionTimestamp !== undefined && !hasFinalizers(next) && !(was.deletionGracePeriodSeconds ?? 0);
    return this.#commit(finished ? 'DELETED' : 'MODIFIED', next, current);
  }

  /** Applies a merge patch (lists are replaced). @throws {KubeSimError} as `update`. */
  patch<K extends Kind>(kind: K, name: string, patch: object, namespace?: string): KindMap[K] {
    const current = this.#require(kind, name, namespace);
    return this.update(mergePatch(current, patch) as ObjectDraft<K>);
  }

  /**
   * Deletes an object: at once, or marked with a deletionTimestamp while a Pod's grace period or a finalizer holds it.
   * @throws {KubeSimError} NotFound, Conflict when a precondition fails.
   */
  delete(kind: Kind, name: string, namespace?: string, options: DeleteOptions = {}): DeleteOutcome {
    const current = this.#require(kind, name, namespace);
    for (const field of ['uid', 'resourceVersion'] as const) {
      const wanted = options.preconditions?.[field];
      if (wanted !== undefined && wanted !== current.metadata[field]) {
        const label = field === 'uid' ? 'UID' : 'ResourceVersion';
        throw failure(
          'Conflict',
          kind,
          name,
          `Precondition failed: ${label} in precondition: ${wanted}, ${label} in object meta: ${current.metadata[field]}`,
        );
      }
    }
    const graceSeconds = kind === 'Pod' ? podGraceSeconds(current, options.gracePeriodSeconds) : 0;
    if (graceSeconds === 0 && !hasFinalizers(current)) {
      return { object: this.#commit('DELETED', current, current), removed: true };
    }
    const pendingSeconds = current.metadata.deletionGracePeriodSeconds;
    if (current.metadata.deletionTimestamp !== undefined && graceSeconds >= (pendingSeconds ?? 0)) {
      return { object: current, removed: false };
    }
    const metadata = {
      ...current.metadata,
      deletionTimestamp: timestamp(this.#clock.now() + graceSeconds * 1000),
      deletionGracePeriodSeconds: graceSeconds,
    };
    return { object: this.#commit('MODIFIED', { ...current, metadata }, current), removed: false };
  }

  /**
   * Changes of a kind after `resourceVersion`.
   * @throws {KubeSimError} Expired when some of them were compacted away.
   */
  changesSince(kind: Kind, resourceVersion: number): readonly Change[] {
    this.#requireHistory(resourceVersion);
    return this.#history.filter((change) => change.kind === kind && change.resourceVersion > resourceVersion);
  }

  /** Forgets the history: every resourceVersion handed out so far is too old for a watch or a continue token. */
  compact(): void {
    this.#version += 1;
    this.#compactedTo = this.#version;
    this.#history = [];
  }

  /** Calls `listener` for every later change, until disposed. */
  subscribe(listener: (change: Change) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  #require(kind: Kind, name: string, namespace: string | undefined): KubeObject {
    const current = this.get(kind, name, namespace);
    if (!current) throw failure('NotFound', kind, name, 'not found');
    return current;
  }

  #requireHistory(resourceVersion: number): void {
    if (resourceVersion >= this.#compactedTo) return;
    throw new KubeSimError('Expired', `too old resource version: ${resourceVersion} (${this.#compactedTo})`);
  }

  #commit(type: Change['type'], next: KubeObject, previous?: KubeObject): KubeObject {
    this.#version += 1;
    const metadata = { ...next.metadata, resourceVersion: String(this.#version) };
    const object = frozenCopy({ ...next, metadata }) as KubeObject;
    const kind = object.kind as Kind;
    const objects = this.#objects.get(kind) ?? new Map<string, KubeObject>();
    this.#objects.set(kind, objects);
    this.#inOrder.delete(kind);
    if (type === 'DELETED') objects.delete(keyOfObject(object));
    else objects.set(keyOfObject(object), object);
    const change: Change = {
      type,
      kind,
      object,
      ...(previous && { previous }),
      resourceVersion: this.#version,
    };
    this.#remember(change);
    this.#undelivered.push(change);
    this.#deliver();
    return object;
  }

  #remember(change: Change): void {
    this.#history.push(change);
    if (this.#history.length <= this.#historyLimit * 2) return;
    const forgotten = this.#history.splice(0, this.#history.length - this.#historyLimit);
    this.#compactedTo = forgotten.at(-1)?.resourceVersion ?? this.#compactedTo;
  }

  /** A listener may write: its change is queued, so that every listener sees changes in order. */
  #deliver(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    try {
      for (let change = this.#undelivered.shift(); change; change = this.#undelivered.shift()) {
        for (const listener of this.#listeners) listener(change);
      }
    } finally {
      this.#delivering = false;
    }
  }
}

function keyOf(kind: Kind, name: string, namespace: string | undefined): string {
  return resourceOf(kind).namespaced ? `${namespace ?? 'default'}/${name}` : name;
}

function keyOfObject({ kind, metadata }: KubeObject): string {
  return keyOf(kind as Kind, metadata.name, metadata.namespace);
}

function inOrder(objects: ReadonlyMap<string, KubeObject> | undefined): KubeObject[] {
  return [...(objects ?? [])].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
}

function hasFinalizers(object: KubeObject): boolean {
  return (object.metadata.finalizers?.length ?? 0) > 0;
}

/** A Pod that was never bound or has finished needs no grace, as in the Pod strategy's `CheckGracefulDelete`. */
function podGraceSeconds(pod: PodObject, asked: number | undefined): number {
  const phase = pod.status?.phase;
  if (!pod.spec?.nodeName || phase === 'Succeeded' || phase === 'Failed') return 0;
  const seconds = asked ?? pod.spec.terminationGracePeriodSeconds ?? 30;
  return seconds < 0 ? 1 : seconds;
}

/** A refusal worded as the API server words it: `pods "db-0" not found`. */
function failure(code: StatusReason, kind: Kind, name: string, problem: string): KubeSimError {
  const { plural, group } = resourceOf(kind);
  const qualified = group === '' ? plural : `${plural}.${group}`;
  const messages: Partial<Record<StatusReason, string>> = {
    Conflict: `Operation cannot be fulfilled on ${qualified} "${name}": ${problem}`,
    Invalid: `${kind} "${name}" is invalid: ${problem}`,
  };
  return new KubeSimError(code, messages[code] ?? `${qualified} "${name}" ${problem}`, {
    name,
    ...(group !== '' && { group }),
    kind: plural,
  });
}

/** A deep copy that never changes. What is frozen already is shared: a write copies only what it changes. */
function frozenCopy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  if (Array.isArray(value)) return Object.freeze(value.map(frozenCopy));
  const copy: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(value)) copy[key] = frozenCopy(field);
  return Object.freeze(copy);
}
