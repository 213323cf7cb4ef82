import { KubeSim } from '@reattach/kube-sim';
import { BACKEND_ADDRESS, type ClusterNode, clusterNodes, DRIVER } from './failover-cluster.ts';
import { answer, epochMs } from './remote.ts';

const kube = await KubeSim.start({ requestLimit: 100 });
const nodes = new Map(clusterNodes().map((node) => [node.name, node]));
for (const node of nodes.values()) {
  kube.addNode({ name: node.name, internalIP: node.address });
  for (const { slot, nqn } of node.volumes) {
    const attributes = { nqn, nvmeAddress: BACKEND_ADDRESS };
    kube.addVolume({ name: slot, handle: slot, driver: DRIVER, claim: slot, attributes });
    kube.addAttachment({ nodeName: node.name, persistentVolume: slot });
  }
  addPods(node);
}
answer({
  url: () => kube.url,
  kubeconfig: () => kube.kubeconfig(),
  /** The Node turns to NotReady, its grace long over. @returns when, epoch ms. */
  lose: (name) => {
    const lostAtMs = epochMs();
    setReady(name, 'Unknown');
    return lostAtMs;
  },
  /** The node is back, with new pods. */
  recover: (name) => {
    setReady(name, 'True');
    const node = nodes.get(name);
    if (node) addPods(node);
  },
});

function addPods({ name, address, volumes }: ClusterNode): void {
  for (const { slot } of volumes) {
    if (kube.store.get('Pod', slot, 'default')) continue;
    kube.addPod({
      name: slot,
      nodeName: name,
      claims: [slot],
      hostIP: address,
      owner: { kind: 'StatefulSet', name: 'set' },
    });
  }
}

function setReady(name: string, status: 'True' | 'Unknown'): void {
  const lastTransitionTime = new Date(Date.now() - 60_000).toISOString();
  kube.store.patch('Node', name, { status: { conditions: [{ type: 'Ready', status, lastTransitionTime }] } });
}
