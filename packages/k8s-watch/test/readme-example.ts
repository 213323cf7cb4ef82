import { createReconcileMetrics, type Logger, type ReconcileTrigger } from '@reattach/core';
import { loadKubeApi } from '@reattach/k8s-api';
import { AttachmentWatcher, KubeCaches, NodeWatcher } from '../src/index.ts';

export async function watchCluster(
  reconciler: ReconcileTrigger,
  attacher: string,
  logger: Logger,
  signal: AbortSignal,
): Promise<KubeCaches> {
  const caches = new KubeCaches({ api: loadKubeApi({ logger }), logger, watchLeases: true });
  const nodes = new NodeWatcher(reconciler, createReconcileMetrics(), logger);
  caches.addNodeHandlers(nodes.getEventHandlers());
  caches.addVolumeAttachmentHandlers(new AttachmentWatcher(reconciler, caches, attacher).getEventHandlers());
  caches.start();
  await caches.waitForSync(signal); // nothing is known before
  return caches; // a ClusterReader; `await caches.stop()` in the end
}
