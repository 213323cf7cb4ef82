import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeSim } from '@reattach/kube-sim';
import { COUNTS, SENT_AT_LABEL, UPDATES, UPDATES_PER_SECOND } from './informers-objects.ts';

const DRIVER = 'rds.csi.srvlab.io';
/** Fills a Node up to about 15 kB, as the list of images does in real ones. */
const IMAGES = Array.from({ length: 50 }, (_, index) => ({
  names: [
    `registry.example.test/team/application-${index}@sha256:${'0123456789abcdef'.repeat(4)}`,
    `registry.example.test/team/application-${index}:v1.${index}.0-build.20260101`,
  ],
  sizeBytes: 100_000_000 + index,
}));

const sim = await KubeSim.start({ requestLimit: 100 });
for (let index = 0; index < COUNTS.nodes; index++) {
  sim.addNode({ name: `node-${index}`, internalIP: `10.${index >> 8}.${index & 255}.1` });
  sim.store.patch('Node', `node-${index}`, { status: { images: IMAGES } });
}
for (let index = 0; index < COUNTS.persistentVolumes; index++) {
  const name = `pvc-${index}`;
  sim.addVolume({
    name,
    handle: name,
    driver: DRIVER,
    claim: `claim-${index}`,
    attributes: { nqn: `nqn.2026-01.example.test:${name}` },
  });
}
for (let index = 0; index < COUNTS.volumeAttachments; index++) {
  sim.addAttachment({ nodeName: `node-${index % COUNTS.nodes}`, persistentVolume: `pvc-${index}` });
}
for (let index = 0; index < COUNTS.pods; index++) {
  const nodeName = `node-${index % COUNTS.nodes}`;
  sim.addPod({
    name: `pod-${index}`,
    nodeName,
    claims: [`claim-${index % COUNTS.persistentVolumes}`],
    hostIP: '10.0.0.1',
    owner: { kind: 'StatefulSet', name: 'set' },
  });
}
const kubeconfig = join(mkdtempSync(join(tmpdir(), 'reattach-bench-')), 'kubeconfig');
await sim.writeKubeconfig(kubeconfig);
process.on('message', () => void update());
process.send?.(kubeconfig);

/** Sends the updates at an even pace, in bursts of what a tick of the timer owes. */
async function update(): Promise<void> {
  const startedAtMs = performance.now();
  for (let sent = 0; sent < UPDATES; ) {
    const due = Math.min(
      Math.ceil(((performance.now() - startedAtMs) / 1_000) * UPDATES_PER_SECOND),
      UPDATES,
    );
    for (; sent < due; sent++) {
      const sentAt = String(performance.timeOrigin + performance.now());
      sim.store.patch('Node', `node-${sent % COUNTS.nodes}`, {
        metadata: { labels: { [SENT_AT_LABEL]: sentAt } },
      });
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 2);
    });
  }
}
