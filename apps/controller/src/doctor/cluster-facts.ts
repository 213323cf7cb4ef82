import type { NodeFact, PersistentVolumeFact, VolumeAttachmentFact } from '@reattach/core';
import {
  apiPaths,
  asObject,
  type KubeApi,
  KubeApiError,
  objectAt,
  textAt,
  toLeaseFact,
  toNodeFact,
  toPersistentVolumeFact,
  toVolumeAttachmentFact,
} from '@reattach/k8s-api';

/** Longest wait for one answer, ms. */
export const TIMEOUT_MS = 10_000;

/** What was read, or why it was not. */
export type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly err: unknown };

/** The part of the CSIDriver object that matters. `forbidden`: this user may not read it. */
export type DriverFact =
  | { readonly kind: 'present'; readonly attachRequired: boolean }
  | 'missing'
  | 'forbidden';

/** Everything the doctor reads of a cluster that answers. */
export interface ClusterFacts {
  readonly server: string;
  /** `v1.33.1`. */
  readonly gitVersion: string;
  readonly nodes: Read<readonly NodeFact[]>;
  readonly volumes: Read<readonly PersistentVolumeFact[]>;
  readonly attachments: Read<readonly VolumeAttachmentFact[]>;
  /** Times at which kubelets renewed their Leases, by their own clocks, epoch ms. */
  readonly renewals: Read<ReadonlyMap<string, number>>;
  /** When `renewals` was read by our wall clock, epoch ms. */
  readonly renewalsReadAtMs: number;
  readonly driver: Read<DriverFact>;
}

/** Reads the cluster. @throws whatever the request for the version fails with: the cluster does not answer */
export async function readClusterFacts(
  api: KubeApi,
  attacher: string,
  signal: AbortSignal,
): Promise<ClusterFacts> {
  const get = (path: string, operation: string) =>
    api.request({ method: 'GET', path, operation, signal, timeoutMs: TIMEOUT_MS });
  const list = async <T>(path: string, operation: string, project: (item: unknown) => T | undefined) =>
    await attempt(signal, async () => {
      const { items = [] } = (await get(path, operation)) as { items?: readonly unknown[] };
      return items.flatMap((item) => project(item) ?? []);
    });
  const version = asObject(await get('/version', 'get version')) ?? {};
  const [nodes, volumes, attachments, leases, driver] = await Promise.all([
    list(apiPaths.nodes, 'list nodes', toNodeFact),
    list(apiPaths.persistentVolumes, 'list persistentvolumes', toPersistentVolumeFact),
    list(apiPaths.volumeAttachments, 'list volumeattachments', toVolumeAttachmentFact),
    list(apiPaths.nodeLeases, 'list leases', toLeaseFact),
    attempt(signal, () => readDriver(get, attacher)),
  ]);
  return {
    server: api.server,
    gitVersion: textAt(version, 'gitVersion') ?? 'unknown',
    nodes,
    volumes,
    attachments,
    renewals: leases.ok
      ? {
          ok: true,
          value: new Map(
            leases.value.map(({ name, renewTime }) => [name, Date.parse(renewTime ?? '')] as const),
          ),
        }
      : leases,
    renewalsReadAtMs: Date.now(),
    driver,
  };
}

async function readDriver(
  get: (path: string, operation: string) => Promise<unknown>,
  attacher: string,
): Promise<DriverFact> {
  try {
    const path = `/apis/storage.k8s.io/v1/csidrivers/${encodeURIComponent(attacher)}`;
    const driver = asObject(await get(path, 'get csidriver')) ?? {};
    return { kind: 'present', attachRequired: objectAt(driver, 'spec')['attachRequired'] !== false };
  } catch (err) {
    if (err instanceof KubeApiError && err.code === 'NOT_FOUND') return 'missing';
    if (err instanceof KubeApiError && err.code === 'FORBIDDEN') return 'forbidden';
    throw err;
  }
}

async function attempt<T>(signal: AbortSignal, read: () => Promise<T>): Promise<Read<T>> {
  try {
    return { ok: true, value: await read() };
  } catch (err) {
    signal.throwIfAborted();
    return { ok: false, err };
  }
}
