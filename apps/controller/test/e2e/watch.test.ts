import { setTimeout as pause } from 'node:timers/promises';
import type { NodeFact } from '@reattach/core';
import { type Envtest, envtestAssets, startEnvtest } from '@reattach/envtest';
import { type KubeApi, loadKubeApi } from '@reattach/k8s-api';
import { KubeCaches } from '@reattach/k8s-watch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const assets = envtestAssets();
if (assets === undefined) console.warn('Skipped: KUBEBUILDER_ASSETS is unset');

const NODES = 20;
const NODE_PATH = '/api/v1/nodes';
/** Longest pause until a cache has caught up with a server that is back, ms. */
const CAUGHT_UP_MS = 180_000;

/** Changes Nodes without pause; what the server refuses or loses while it is down is tried again, so nothing is left half done. */
class Changes {
  readonly #api: KubeApi;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  count = 0;

  constructor(api: KubeApi) {
    this.#api = api;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const name = `node-${this.count % NODES}`;
      try {
        if (this.count % 7 === 3) await this.#replace(name);
        else await this.#label(name, String(this.count));
        this.count++;
      } catch {
        await pause(50); // the server is down
      }
    }
  }

  async #label(name: string, value: string): Promise<void> {
    await request(this.#api, 'PATCH', `${NODE_PATH}/${name}`, { metadata: { labels: { change: value } } });
  }

  /** Deleted and created again: another uid under the same name. */
  async #replace(name: string): Promise<void> {
    await request(this.#api, 'DELETE', `${NODE_PATH}/${name}`).catch(() => undefined);
    await request(this.#api, 'POST', NODE_PATH, node(name)).catch((err: { reason?: string }) => {
      if (err.reason !== 'AlreadyExists') throw err;
    });
  }
}

const node = (name: string) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } });

function request(
  api: KubeApi,
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  body?: object,
): Promise<unknown> {
  return api.request({
    method,
    path,
    body,
    ...(method === 'PATCH' && { contentType: 'application/merge-patch+json' }),
    operation: 'change',
    signal: AbortSignal.timeout(60_000),
  });
}

/** Name, uid and label of every Node, sorted. */
function summary(nodes: Iterable<{ name: string; uid: string; labels: NodeFact['labels'] }>): string[] {
  return [...nodes].map(({ name, uid, labels }) => `${name} ${uid} ${labels['change']}`).toSorted();
}

describe.skipIf(assets === undefined)('KubeCaches', () => {
  let envtest: Envtest;
  let api: KubeApi;

  beforeAll(async () => {
    // Without the watch cache a compacted revision is answered by 410 on a watch, too.
    envtest = await startEnvtest({
      assets: assets ?? '',
      apiServer: ['--watch-cache=false'],
      signal: AbortSignal.timeout(600_000),
    });
    api = loadKubeApi({ kubeconfigPaths: [envtest.kubeconfigPath] });
    for (let index = 0; index < NODES; index++) await request(api, 'POST', NODE_PATH, node(`node-${index}`));
  });
  afterAll(async () => {
    await api[Symbol.asyncDispose]();
    await envtest[Symbol.asyncDispose]();
  });

  it('loses nothing when the API server is killed and etcd compacted under a stream of changes', async () => {
    await using caches = new KubeCaches({ api });
    const uids = new Map<string, string>();
    const broken: string[] = [];
    caches.addNodeHandlers({
      onAdd: ({ name, uid }) => {
        if (uids.has(name)) broken.push(`added twice: ${name}`);
        uids.set(name, uid);
      },
      onUpdate: (_old, { name, uid }) => {
        if (uids.get(name) !== uid) broken.push(`updated before it was added: ${name}`);
      },
      onDelete: (nodeOrTombstone) => {
        const name = 'key' in nodeOrTombstone ? nodeOrTombstone.key : nodeOrTombstone.name;
        if (!uids.delete(name)) broken.push(`deleted before it was added: ${name}`);
      },
    });
    caches.start();
    await caches.waitForSync(AbortSignal.timeout(300_000));

    const changes = new Changes(api);
    for (let round = 0; round < 3; round++) {
      await pause(1_500);
      await envtest.compactEtcd(AbortSignal.timeout(120_000));
      await envtest.restartApiServer(AbortSignal.timeout(300_000));
    }
    await pause(1_500);
    await changes.stop();

    const { items } = (await request(api, 'GET', NODE_PATH)) as {
      items: { metadata: { name: string; uid: string; labels?: Record<string, string> } }[];
    };
    const truth = summary(items.map(({ metadata: { name, uid, labels = {} } }) => ({ name, uid, labels })));
    await expect.poll(() => summary(caches.nodes()), { timeout: CAUGHT_UP_MS, interval: 100 }).toEqual(truth);
    expect(broken).toEqual([]);
    expect(Object.fromEntries(uids)).toEqual(
      Object.fromEntries(items.map(({ metadata }) => [metadata.name, metadata.uid])),
    );
    expect(changes.count).toBeGreaterThan(100);
  });
});
