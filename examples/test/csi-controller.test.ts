import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { loadKubeApi } from '@reattach/k8s-api';
import { KubeSim } from '@reattach/kube-sim';
import { describe, expect, it } from 'vitest';
import { startDriver } from '../csi-controller/driver.ts';
import { eventually } from './eventually.ts';

describe('the CSI controller of the example', () => {
  it('refuses a second node, and untracks the attachment once the Node is gone', async () => {
    await using sim = await KubeSim.start();
    for (const name of ['n1', 'n2']) sim.addNode({ name });
    const folder = await mkdtemp(join(tmpdir(), 'csi-controller-'));
    const kubeconfig = join(folder, 'kubeconfig');
    await sim.writeKubeconfig(kubeconfig);
    await using api = loadKubeApi({ kubeconfigPaths: [kubeconfig] });
    const stop = new AbortController();
    const options = { api, listen: '127.0.0.1:0', gracePeriodMs: 100, signal: stop.signal };
    const driver = await startDriver(options);
    const Client = grpc.makeGenericClientConstructor(driver.service, 'Controller');
    const client = new Client(`127.0.0.1:${driver.port}`, grpc.credentials.createInsecure());
    const call = (method: string, volumeId: string, nodeId: string) =>
      new Promise<number>((resolve) => {
        const volumeCapability = { accessMode: { mode: 'SINGLE_NODE_WRITER' } };
        client[method]?.({ volumeId, nodeId, volumeCapability }, (err: grpc.ServiceError | null) =>
          resolve(err?.code ?? grpc.status.OK),
        );
      });
    try {
      expect(await call('controllerPublishVolume', 'v1', 'n1')).toBe(grpc.status.OK);
      expect(await call('controllerPublishVolume', 'v2', 'n2')).toBe(grpc.status.OK);
      expect(await call('controllerPublishVolume', 'v1', 'n2')).toBe(grpc.status.FAILED_PRECONDITION);
      sim.store.delete('Node', 'n1');
      await eventually(() => driver.manager.getAttachment('v1') === undefined);
      expect(driver.manager.getAttachment('v2')?.nodeNames).toEqual(['n2']);
      expect(await call('controllerPublishVolume', 'v1', 'n2')).toBe(grpc.status.OK);
      expect(await call('controllerUnpublishVolume', 'v1', 'n2')).toBe(grpc.status.OK);
      expect(driver.manager.getAttachment('v1')).toBeUndefined();
    } finally {
      client.close();
      await driver.stop();
      await rm(folder, { recursive: true });
    }
  });
});
