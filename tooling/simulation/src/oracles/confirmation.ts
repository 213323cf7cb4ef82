import type { ApiRequest, PodObject } from '@reattach/kube-sim';
import { DRIVER } from '../world/cluster.ts';
import type { World } from '../world/world.ts';
import type { CreateOracle, FindingKind } from './oracle.ts';

/** A live reading that is older than this confirms nothing, ms. */
const MAX_AGE_MS = 10_000;

/** A write that waited for the end of a pause arrives within this, ms. */
const AFTER_PAUSE_MS = 20_000;

/** A write that takes something away from a node. */
interface DestructiveWrite {
  readonly what: string;
  readonly node: string | undefined;
  /** Volumes that it releases. */
  readonly slots: readonly string[];
  /** It is about something of another driver. */
  readonly isForeign?: boolean;
}

/**
 * Destructive writes: each follows a live GET of its object, carries a precondition, and releases nothing that a machine may
 * still write to.
 */
export const watchConfirmations: CreateOracle = (world, report) => {
  /** When a client last read a path live, epoch ms. */
  const readAtMs = new Map<string, number>();
  world.api.onServed(({ client, request, answer, atMs }) => {
    const isFound = answer.status < 300 || answer.status === 404;
    if (request.method === 'GET' && isFound) readAtMs.set(`${client} ${request.path}`, atMs);
  });
  /**
   * What was decided before a pause is sent after it, and a slow network delivers late: only the precondition guards that, so
   * its age is not judged.
   */
  const readAgeMs = (client: string, { path }: ApiRequest): number => {
    const nowMs = world.clock.now();
    const replica = world.replicas.find(({ name }) => client.startsWith(name));
    if (!replica || nowMs - replica.resumedAtMs < AFTER_PAUSE_MS) return 0;
    if (!replica.apiLink.isWell || !replica.storageLink.isWell) return 0;
    return nowMs - (readAtMs.get(`${client} ${path.replace(/\/status$/, '')}`) ?? Number.NEGATIVE_INFINITY);
  };
  /** What the write that is being carried out would have done wrong. */
  let wrongs: readonly (readonly [FindingKind, string])[] = [];
  let node: string | undefined;
  world.api.beforeWrite((client, request) => {
    const write = destructive(world, request);
    node = write?.node;
    wrongs = write ? [...wrongsOf(world, write, request, readAgeMs(client, request))] : [];
  });
  world.api.onServed(({ request, answer }) => {
    if (request.method === 'GET' || answer.status >= 300) return;
    if (node !== undefined) world.released(node);
    for (const [kind, detail] of wrongs) report(kind, detail);
  });
  world.storage.onCommand(({ client, command, isEffect }) => {
    const [, address] = /\baddress=([\d.]+)/.exec(command) ?? [];
    const named = /\bnode=([\w.-]+)/.exec(command)?.[1];
    if (!isEffect || address === undefined || named === undefined) return;
    const ageMs = readAgeMs(client, { method: 'GET', path: `/api/v1/nodes/${named}` });
    if (ageMs > MAX_AGE_MS)
      report('unconfirmed-write', `fence change of ${named} without a live GET of its Node`);
  });
  return {};
};

function* wrongsOf(
  world: World,
  { what, node = '', slots, isForeign = false }: DestructiveWrite,
  request: ApiRequest,
  readAgeMs: number,
): Generator<readonly [FindingKind, string]> {
  if (readAgeMs > MAX_AGE_MS) yield ['unconfirmed-write', `${what} without a live GET of it`];
  if (!hasPrecondition(request)) yield ['unconfirmed-write', `${what} without a precondition`];
  if (isForeign) yield ['unfenced-release', `${what}, which is another driver's`];
  for (const slot of slots) {
    const writer = livingWriter(world, node, slot);
    if (writer) yield ['unfenced-release', `${what} while ${writer} may write to ${slot}`];
  }
}

function destructive({ api }: World, { method, path, body }: ApiRequest): DestructiveWrite | undefined {
  const { store } = api;
  const [, podName] = /\/namespaces\/[^/]+\/pods\/([^/]+)$/.exec(path) ?? [];
  if (method === 'DELETE' && podName) {
    const pod = store.get('Pod', podName);
    const slots = pod ? slotsOf(pod) : [];
    return (
      pod && {
        what: `delete of pod ${podName}`,
        node: pod.spec?.nodeName,
        slots,
        isForeign: slots.length === 0,
      }
    );
  }
  const [, attachmentName] = /\/volumeattachments\/([^/]+)$/.exec(path) ?? [];
  if (method === 'DELETE' && attachmentName) {
    const { spec } = store.get('VolumeAttachment', attachmentName) ?? {};
    const slot = spec?.source.persistentVolumeName;
    return (
      spec && {
        what: `delete of VolumeAttachment of ${slot}`,
        node: spec.nodeName,
        slots: slot ? [slot] : [],
        isForeign: spec.attacher !== DRIVER,
      }
    );
  }
  const [, nodeName, status] = /\/nodes\/([^/]+?)(\/status)?$/.exec(path) ?? [];
  if (method !== 'PATCH' || !nodeName) return undefined;
  const text = JSON.stringify(body);
  if (status && text.includes('volumesInUse'))
    return {
      what: `removal of volumesInUse of ${nodeName}`,
      node: nodeName,
      slots: attachedTo(api.store, nodeName),
    };
  if (!text.includes('out-of-service') || !/"op":"(add|replace)"/.test(text)) return undefined;
  return {
    what: `out-of-service taint on ${nodeName}`,
    node: nodeName,
    slots: attachedTo(api.store, nodeName),
  };
}

/** Volumes of ours that the pod mounts. */
function slotsOf({ spec }: PodObject): readonly string[] {
  const claims = (spec?.volumes ?? []).map(
    ({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? '',
  );
  return claims.flatMap((claim) => /^data-(.*)-0$/.exec(claim)?.[1] ?? []);
}

function attachedTo(store: World['api']['store'], nodeName: string): readonly string[] {
  return store
    .list('VolumeAttachment')
    .filter(({ spec }) => spec?.nodeName === nodeName && spec.attacher === DRIVER)
    .flatMap(({ spec }) => spec?.source.persistentVolumeName ?? []);
}

/** A uid, or a version that implies it. */
function hasPrecondition({ body, contentType }: ApiRequest): boolean {
  if (contentType?.includes('json-patch')) return JSON.stringify(body).includes('"op":"test"');
  const { preconditions, metadata } = (body ?? {}) as {
    preconditions?: { uid?: string };
    metadata?: { uid?: string; resourceVersion?: string };
  };
  return (preconditions?.uid ?? metadata?.uid ?? metadata?.resourceVersion) !== undefined;
}

/** A machine of the name that has the volume mounted and is not cut off at the backend; its memory outlives any partition. */
function livingWriter({ machines, storage }: World, nodeName: string, slot: string): string | undefined {
  return machines.find(
    (machine) =>
      machine.nodeName === nodeName &&
      machine.isPowered &&
      machine.workload.slots.includes(slot) &&
      !storage.isBlocked(machine.pathOf(slot)),
  )?.id;
}
