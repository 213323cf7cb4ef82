import { RdsSim } from '@reattach/rds-sim';
import { BACKEND_ADDRESS, clusterNodes } from './failover-cluster.ts';
import { answer, epochMs } from './remote.ts';

const rds = await RdsSim.start({
  address: BACKEND_ADDRESS,
  tracking: { enabled: 'yes' },
  commandLogLimit: 100,
});
rds.device.addDropRule();
for (const { name, address, hasHost, volumes } of clusterNodes()) {
  if (!hasHost) continue;
  const host = rds.device.addHost({ name, addresses: [address], keepAliveTimeoutMs: 500 });
  for (const { slot, nqn } of volumes) {
    rds.device.addVolume({ slot, nqn, sizeBytes: 2 ** 30 });
    host.connect(slot);
  }
}

answer({
  access: () => {
    const { host, port, hostKey, credentials } = rds;
    return { host, port, hostKey, credentials };
  },
  powerOff: (name) => rds.device.host(name)?.powerOff(),
  /** @returns when a node is fenced next, epoch ms. */
  fenced: async () => {
    await rds.commands.next('address-list/add');
    return epochMs();
  },
  removeFences: () => rds.run('/ip firewall address-list remove [find]'),
});
