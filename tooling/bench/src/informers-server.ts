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

/** `metadata.managedFields` as real API servers keep them: about as large as the fields that were set. */
const managedFields = (owner: string, fields: number) => [
  {
    manager: owner,
    operation: 'Update',
    apiVersion: 'v1',
    time: '2026-01-01T00:00:00Z',
    fieldsType: 'FieldsV1',
    fieldsV1: {
      'f:spec': Object.fromEntries(
        Array.from({ length: fields }, (_, index) => [`f:fieldNumber${index}`, {}]),
      ),
    },
  },
];
const ATTACHMENT_METADATA = { metadata: { managedFields: managedFields('kube-controller-manager', 40) } };
const VOLUME_METADATA = { metadata: { managedFields: managedFields('csi-provisioner', 50) } };
/** What a pod of one container has beside what we use. */
const POD_REST = {
  metadata: { managedFields: managedFields('kubelet', 100) },
  spec: {
    containers: [
      {
        name: 'application',
        image: 'registry.example.test/team/application:v1.0-build.20260101',
        env: Array.from({ length: 30 }, (_, index) => ({
          name: `APPLICATION_SETTING_${index}`,
          value: `value-of-setting-${index}`,
        })),
        resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
        terminationMessagePath: '/dev/termination-log',
        terminationMessagePolicy: 'File',
        imagePullPolicy: 'IfNotPresent',
      },
    ],
  },
  status: {
    conditions: ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map(
      (type) => ({
        type,
        status: 'True',
        lastProbeTime: null,
        lastTransitionTime: '2026-01-01T00:00:00Z',
      }),
    ),
  },
};

/** `pages`: as an API server without streaming lists. */
const streamingLists = process.argv[2] !== 'pages';
const sim = await KubeSim.start({ requestLimit: 100, streamingLists });
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
  sim.store.patch('PersistentVolume', name, VOLUME_METADATA);
}
for (let index = 0; index < COUNTS.volumeAttachments; index++) {
  const { metadata } = sim.addAttachment({
    nodeName: `node-${index % COUNTS.nodes}`,
    persistentVolume: `pvc-${index}`,
  });
  sim.store.patch('VolumeAttachment', metadata.name, ATTACHMENT_METADATA);
}
for (let index = 0; index < COUNTS.pods; index++) {
  const nodeName = `node-${index % COUNTS.nodes}`;
  const { metadata } = sim.addPod({
    name: `pod-${index}`,
    nodeName,
    claims: [`claim-${index % COUNTS.persistentVolumes}`],
    hostIP: '10.0.0.1',
    owner: { kind: 'StatefulSet', name: 'set' },
  });
  sim.store.patch('Pod', metadata.name, POD_REST, metadata.namespace);
}
process.on('message', () => {
  globalThis.gc?.(); // a pause of ours would count as the clients' latency
  void update();
});
process.send?.(sim.kubeconfig());

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
