import {
  CoreV1Api,
  KubeConfig,
  type KubernetesListObject,
  type KubernetesObject,
  makeInformer,
  StorageV1Api,
} from '@kubernetes/client-node';
import { loadKubeApi } from '@reattach/k8s-api';
import { KubeCaches } from '@reattach/k8s-watch';
import { SENT_AT_LABEL, UPDATES } from './informers-objects.ts';
import { heapMb, percentile, residentMb } from './measure.ts';

export type Implementation = 'ours' | 'library';

/** What a client measured of itself. */
export interface ClientReport {
  readonly syncS: number;
  readonly residentMb: number;
  /** Resident memory after sync less that before. */
  readonly objectsMb: number;
  readonly heapMb: number;
  /** Heap after sync less that before, both collected. */
  readonly objectsHeapMb: number;
  readonly cpuMsPer1000: number;
  readonly latencyP50Ms: number;
  readonly latencyP99Ms: number;
}

type OnUpdate = (labels: Readonly<Record<string, string>> | undefined) => void;

const [implementation, kubeconfig = ''] = process.argv.slice(2);

/** Resolves when everything is in the cache. */
async function syncOurs(onUpdate: OnUpdate): Promise<unknown> {
  const caches = new KubeCaches({ api: loadKubeApi({ kubeconfigPaths: [kubeconfig] }) });
  caches.addNodeHandlers({ onUpdate: (_old, { labels }) => onUpdate(labels) });
  caches.start();
  await caches.waitForSync(new AbortController().signal);
  return caches;
}

async function syncLibrary(onUpdate: OnUpdate): Promise<unknown> {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  const storage = config.makeApiClient(StorageV1Api);
  const informer = <T extends KubernetesObject>(path: string, list: () => Promise<KubernetesListObject<T>>) =>
    makeInformer<T>(config, path, list);
  const nodes = informer('/api/v1/nodes', () => core.listNode());
  const others = [
    informer('/apis/storage.k8s.io/v1/volumeattachments', () => storage.listVolumeAttachment()),
    informer('/api/v1/persistentvolumes', () => core.listPersistentVolume()),
    informer('/api/v1/pods', () => core.listPodForAllNamespaces()),
  ];
  nodes.on('update', (node) => onUpdate(node.metadata?.labels));
  await Promise.all([nodes, ...others].map((each) => each.start()));
  return [nodes, ...others];
}

globalThis.gc?.();
const residentBeforeMb = residentMb();
const heapBeforeMb = heapMb();
const latencies: number[] = [];
let cpu = process.cpuUsage();
const done = Promise.withResolvers<void>();
const onUpdate: OnUpdate = (labels) => {
  const sentAt = Number(labels?.[SENT_AT_LABEL]);
  if (!(sentAt > 0)) return;
  latencies.push(performance.timeOrigin + performance.now() - sentAt);
  if (latencies.length >= UPDATES) done.resolve();
};

const startedAtMs = performance.now();
const kept = await (implementation === 'ours' ? syncOurs(onUpdate) : syncLibrary(onUpdate));
const syncS = (performance.now() - startedAtMs) / 1_000;
globalThis.gc?.({ type: 'major', flavor: 'last-resort' }); // as the controller does
const residentAfterMb = residentMb();
const heapAfterMb = heapMb();
latencies.length = 0;
cpu = process.cpuUsage();
process.send?.('synced');
await done.promise;
const { user, system } = process.cpuUsage(cpu);
const report: ClientReport = {
  syncS,
  residentMb: residentAfterMb,
  objectsMb: residentAfterMb - residentBeforeMb,
  heapMb: heapAfterMb,
  objectsHeapMb: heapAfterMb - heapBeforeMb,
  cpuMsPer1000: (user + system) / UPDATES,
  latencyP50Ms: percentile(latencies, 0.5),
  latencyP99Ms: percentile(latencies, 0.99),
};
if (!kept) throw new Error('nothing was kept');
process.send?.(report);
