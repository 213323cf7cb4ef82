import { validateNewEvent } from './event-view.ts';
import type { Fault } from './faults.ts';
import type { Kind, KubeObject, ObjectDraft } from './kube-object.ts';
import { KubeSimError } from './kube-sim-error.ts';
import type { DeleteOptions, ObjectStore } from './object-store.ts';
import { jsonPatch, mergePatch } from './patch.ts';
import type { LoggedRequest } from './request-log.ts';
import { apiVersionOf, type Resource, served } from './resource.ts';
import type { Route } from './route.ts';
import { fieldFilter, labelFilter, type ObjectFilter } from './selector.ts';

/** An answer to a request other than a watch. */
export interface Answer {
  readonly status: number;
  /** JSON; a string is plain text. */
  readonly body: unknown;
}

/** A strategic merge patch is applied as a merge patch: lists are replaced, patchMergeKey is not known. */
const MERGE_PATCHES: ReadonlySet<string | undefined> = new Set([
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
]);

type ObjectRoute = Extract<Route, { kind: 'object' }>;
type CollectionRoute = Extract<Route, { kind: 'collection' }>;

/** A continue token: where the next page starts, in the list as it was at `rv`. */
interface ContinueToken {
  readonly rv: number;
  readonly start: number;
}

/** Answers one request from the store, by the rules of the resource. @throws {KubeSimError} for every refusal. */
export function answer(
  store: ObjectStore,
  route: Route | undefined,
  request: LoggedRequest,
  staleVersion?: number,
): Answer {
  if (!route) throw new KubeSimError('NotFound', 'the server could not find the requested resource');
  switch (route.kind) {
    case 'health':
      return { status: 200, body: 'ok' };
    case 'version':
      return { status: 200, body: { major: '1', minor: '36', gitVersion: 'v1.36.0-kube-sim' } };
    case 'no-such-group':
      return { status: 404, body: '404 page not found\n' };
    case 'access-review':
      if (request.method !== 'POST') throw methodNotAllowed();
      return { status: 201, body: { ...bodyObject(request), status: { allowed: true } } };
    case 'collection':
      if (request.method === 'GET') return { status: 200, body: list(store, route, request, staleVersion) };
      if (request.method === 'POST') return { status: 201, body: create(store, route, request) };
      throw methodNotAllowed();
    case 'object':
      return answerObject(store, route, request, staleVersion);
    default:
      return route satisfies never;
  }
}

function answerObject(
  store: ObjectStore,
  route: ObjectRoute,
  request: LoggedRequest,
  staleVersion?: number,
): Answer {
  const { resource } = route;
  switch (request.method) {
    case 'GET':
      return { status: 200, body: served(resource, find(store, route, staleVersion)) };
    case 'PUT':
      return { status: 200, body: served(resource, put(store, route, request)) };
    case 'PATCH':
      return { status: 200, body: served(resource, patch(store, route, request)) };
    case 'DELETE':
      if (route.subresource) throw methodNotAllowed();
      return { status: 200, body: remove(store, route, request) };
    default:
      throw methodNotAllowed();
  }
}

/** The selectors of a list or watch. @throws {KubeSimError} BadRequest. */
export function requestFilter(
  { resource, namespace }: CollectionRoute,
  request: LoggedRequest,
): ObjectFilter {
  const byLabel = labelFilter(request.query['labelSelector'] ?? '');
  const byField = fieldFilter(resource, request.query['fieldSelector'] ?? '');
  return (object) =>
    (namespace === undefined || object.metadata.namespace === namespace) &&
    byLabel(object) &&
    byField(object);
}

/** The resourceVersion a stale read is answered with. A watch cache is never older than the request demands. */
export function versionServed(
  fault: Extract<Fault, { kind: 'stale' }>,
  { query }: LoggedRequest,
  store: ObjectStore,
): number {
  if ('resourceVersion' in fault) return Number(fault.resourceVersion);
  const asked = parseResourceVersion(query['resourceVersion'] || '0');
  return Math.max(store.resourceVersion - fault.behind, store.compactedTo, asked);
}

/** A resourceVersion as a number. @throws {KubeSimError} Invalid for anything else. */
export function parseResourceVersion(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new KubeSimError(
    'Invalid',
    `resourceVersion: Invalid value: ${JSON.stringify(text)}: must be a number`,
  );
}

function list(
  store: ObjectStore,
  route: CollectionRoute,
  request: LoggedRequest,
  staleVersion?: number,
): object {
  const { resource } = route;
  const { query } = request;
  const token = query['continue'] ? parseContinue(query['continue']) : undefined;
  const asked = parseResourceVersion(query['resourceVersion'] || '0');
  if (asked > store.resourceVersion) {
    throw new KubeSimError(
      'Timeout',
      `Too large resource version: ${asked}, current: ${store.resourceVersion}`,
    );
  }
  const exact = query['resourceVersionMatch'] === 'Exact' ? asked : undefined;
  const version = token?.rv ?? staleVersion ?? exact ?? store.resourceVersion;
  if (version < store.compactedTo) {
    throw new KubeSimError(
      'Expired',
      'The provided continue parameter is too old to display a consistent list result.',
    );
  }
  const filter = requestFilter(route, request);
  const found = store
    .listAt(resource.kind, version)
    .map((object) => served(resource, object))
    .filter(filter);
  const start = token?.start ?? 0;
  const limit = Number(query['limit'] ?? 0);
  const end = limit > 0 ? start + limit : found.length;
  const rest = found.length - end;
  return {
    kind: `${resource.kind}List`,
    apiVersion: apiVersionOf(resource),
    metadata: {
      resourceVersion: String(version),
      ...(rest > 0 && { continue: formatContinue({ rv: version, start: end }), remainingItemCount: rest }),
    },
    items: found.slice(start, end).map(({ kind: _kind, apiVersion: _version, ...item }) => item),
  };
}

function formatContinue(token: ContinueToken): string {
  return Buffer.from(JSON.stringify(token)).toString('base64url');
}

function parseContinue(text: string): ContinueToken {
  try {
    const { rv, start } = JSON.parse(Buffer.from(text, 'base64url').toString()) as Partial<ContinueToken>;
    if (Number.isInteger(rv) && Number.isInteger(start)) return { rv: rv ?? 0, start: start ?? 0 };
  } catch {
    // Refused below, like a token of the wrong shape.
  }
  throw new KubeSimError('BadRequest', 'continue key is not valid');
}

function create(store: ObjectStore, route: CollectionRoute, request: LoggedRequest): KubeObject {
  const { resource, namespace } = route;
  if (resource.namespaced && namespace === undefined) throw methodNotAllowed();
  const draft = stored(resource, resourceBody(route, request));
  const metadata = { ...draft.metadata, ...(namespace !== undefined && { namespace }) };
  const named = { ...draft, metadata } as KubeObject;
  if (resource.kind === 'Event') validateNewEvent(served(resource, named), resource.group !== '');
  const { status: _, ...rest } = named;
  const keepsStatus = !resource.hasStatus || resource.createKeepsStatus;
  const object = keepsStatus ? named : { ...rest, ...initialStatus(resource.kind) };
  return served(resource, store.create(object as ObjectDraft));
}

/** What a registry strategy makes of the status of a new object. */
function initialStatus(kind: Kind): { readonly status?: unknown } {
  return kind === 'Pod' || kind === 'PersistentVolume' || kind === 'PersistentVolumeClaim'
    ? { status: { phase: 'Pending' } }
    : {};
}

function find(store: ObjectStore, route: ObjectRoute, staleVersion?: number): KubeObject {
  const { kind, plural, group } = route.resource;
  const object =
    staleVersion === undefined
      ? store.get(kind, route.name, route.namespace)
      : store
          .listAt(kind, staleVersion)
          .find(({ metadata }) => metadata.name === route.name && metadata.namespace === route.namespace);
  if (object) return object;
  const qualified = group === '' ? plural : `${plural}.${group}`;
  throw new KubeSimError('NotFound', `${qualified} "${route.name}" not found`, {
    name: route.name,
    ...(group !== '' && { group }),
    kind: plural,
  });
}

function put(store: ObjectStore, route: ObjectRoute, request: LoggedRequest): KubeObject {
  const { resource } = route;
  const current = find(store, route);
  const body = resourceBody(route, request);
  if (body.metadata.name !== route.name) {
    throw new KubeSimError(
      'BadRequest',
      `the name of the object (${body.metadata.name ?? ''}) does not match the name on the URL (${route.name})`,
    );
  }
  if (!body.metadata.resourceVersion && !resource.unconditionalUpdate) {
    throw new KubeSimError(
      'Invalid',
      `${resource.kind} "${route.name}" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update`,
    );
  }
  return store.update(confine(route, current, stored(resource, body)));
}

function patch(store: ObjectStore, route: ObjectRoute, request: LoggedRequest): KubeObject {
  const { resource } = route;
  const current = find(store, route);
  const shown = served(resource, current);
  const patched = applyPatch(shown, request);
  if (typeof patched !== 'object' || patched === null || !('metadata' in patched)) {
    throw new KubeSimError('Invalid', 'the patch leaves no object');
  }
  return store.update(confine(route, current, stored(resource, patched as ObjectDraft)));
}

function applyPatch(object: KubeObject, request: LoggedRequest): unknown {
  const contentType = request.contentType?.split(';')[0];
  if (contentType === 'application/json-patch+json') return jsonPatch(object, request.body);
  if (MERGE_PATCHES.has(contentType)) return mergePatch(object, bodyObject(request));
  throw new KubeSimError(
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json (got ${contentType ?? 'none'})`,
  );
}

/** Keeps a main write from the status and a status write from everything else. */
function confine(
  { resource, subresource }: ObjectRoute,
  current: KubeObject,
  next: ObjectDraft,
): ObjectDraft {
  const { kind, hasStatus } = resource;
  if (!hasStatus) return { ...next, kind };
  const base: ObjectDraft = subresource
    ? { ...current, kind, metadata: { ...current.metadata, ...preconditionsOf(next) } }
    : next;
  const kept = subresource ? next['status'] : current['status'];
  const { status: _, metadata, ...fields } = base;
  return { ...fields, kind, metadata, ...(kept !== undefined && { status: kept }) };
}

/** What a status write may still say in its metadata: which object it means. */
function preconditionsOf({ metadata }: ObjectDraft): Partial<KubeObject['metadata']> {
  const { uid, resourceVersion } = metadata;
  return { ...(uid !== undefined && { uid }), ...(resourceVersion !== undefined && { resourceVersion }) };
}

function remove(store: ObjectStore, route: ObjectRoute, request: LoggedRequest): unknown {
  const { resource, name, namespace } = route;
  const { gracePeriodSeconds, preconditions } = (
    request.body === undefined ? {} : bodyObject(request)
  ) as DeleteOptions;
  const inQuery = request.query['gracePeriodSeconds'];
  const grace = inQuery === undefined ? gracePeriodSeconds : Number(inQuery);
  const { object, removed } = store.delete(resource.kind, find(store, route).metadata.name, namespace, {
    ...(grace !== undefined && { gracePeriodSeconds: grace }),
    ...(preconditions && { preconditions }),
  });
  if (!removed || resource.returnsDeleted) return served(resource, object);
  const details = { name, kind: resource.plural, uid: object.metadata.uid };
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
}

function bodyObject(request: LoggedRequest): object {
  const { body } = request;
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body;
  throw new KubeSimError(
    'BadRequest',
    `the body must be a JSON object, got ${JSON.stringify(body) ?? 'nothing'}`,
  );
}

/** The object of a POST or PUT. @throws {KubeSimError} BadRequest when it is of another kind, version or namespace. */
function resourceBody(
  { resource, namespace }: ObjectRoute | CollectionRoute,
  request: LoggedRequest,
): ObjectDraft {
  if (request.contentType !== undefined && !/^application\/json\b/.test(request.contentType)) {
    throw new KubeSimError(
      'UnsupportedMediaType',
      `the body must be application/json, got ${request.contentType}`,
    );
  }
  const body = bodyObject(request) as Partial<ObjectDraft>;
  const expected = `${apiVersionOf(resource)} ${resource.kind}`;
  const actual = `${body.apiVersion ?? apiVersionOf(resource)} ${body.kind ?? resource.kind}`;
  if (actual !== expected) {
    throw new KubeSimError(
      'BadRequest',
      `the object provided is unrecognized: expected ${expected}, got ${actual}`,
    );
  }
  const metadata = body.metadata ?? {};
  if (metadata.namespace !== undefined && namespace !== undefined && metadata.namespace !== namespace) {
    throw new KubeSimError(
      'BadRequest',
      `the namespace of the provided object does not match the namespace sent on the request (${namespace})`,
    );
  }
  return { ...body, kind: resource.kind, metadata };
}

function stored(resource: Resource, draft: ObjectDraft): ObjectDraft {
  return (resource.view ? resource.view.toStored(draft as KubeObject) : draft) as ObjectDraft;
}

function methodNotAllowed(): KubeSimError {
  return new KubeSimError(
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource',
  );
}
