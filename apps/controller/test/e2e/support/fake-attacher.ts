import { setTimeout as sleep } from 'node:timers/promises';
import { apiPaths, pathOf } from '@reattach/k8s-api';
import { attacherFinalizer, type VolumeAttachmentObject } from '@reattach/kube-sim';
import type { ClusterMirror } from './cluster-mirror.ts';
import { FakeLoop } from './fake-loop.ts';
import type { KubeClient } from './kube-client.ts';

const INTERVAL_MS = 1_000;
/** What ControllerPublishVolume and ControllerUnpublishVolume take, ms; the RDS driver does no I/O in the latter. */
const CALL_MS = 100;

/**
 * Fakes the external-attacher sidecar of one driver: its finalizer first, then `status.attached`; a deleted
 * VolumeAttachment loses the finalizer. Stuck, it finishes no detach.
 */
export class FakeAttacher implements AsyncDisposable {
  readonly #kube: KubeClient;
  readonly #mirror: ClusterMirror;
  readonly #driver: string;
  readonly #finalizer: string;
  readonly #loop: FakeLoop;
  stuck = false;

  constructor(kube: KubeClient, mirror: ClusterMirror, driver: string) {
    this.#kube = kube;
    this.#mirror = mirror;
    this.#driver = driver;
    this.#finalizer = attacherFinalizer(driver);
    this.#loop = new FakeLoop(mirror, INTERVAL_MS, () => this.#pass());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#loop[Symbol.asyncDispose]();
  }

  async #pass(): Promise<void> {
    const ours = this.#mirror.list('VolumeAttachment').filter(({ spec }) => spec?.attacher === this.#driver);
    await Promise.all(ours.map((attachment) => this.#sync(attachment)));
  }

  async #sync({ metadata, status }: VolumeAttachmentObject): Promise<void> {
    const { name, uid, finalizers = [], deletionTimestamp } = metadata;
    const path = apiPaths.volumeAttachment(name);
    const identity = { uid, resourceVersion: metadata.resourceVersion };
    const has = finalizers.includes(this.#finalizer);
    if (deletionTimestamp !== undefined) {
      if (!has || this.stuck) return;
      await sleep(CALL_MS);
      const others = finalizers.filter((other) => other !== this.#finalizer);
      await this.#kube.patch(path, { metadata: { ...identity, finalizers: others } });
    } else if (!has) {
      await this.#kube.patch(path, {
        metadata: { ...identity, finalizers: [...finalizers, this.#finalizer] },
      });
    } else if (status?.attached !== true) {
      await sleep(CALL_MS);
      const statusPath = pathOf('apis', 'storage.k8s.io', 'v1', 'volumeattachments', name, 'status');
      await this.#kube.patch(statusPath, { metadata: identity, status: { attached: true } });
    }
  }
}
