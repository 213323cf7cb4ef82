import { RdsSim } from '@reattach/rds-sim';
import { EXPORTS, HOSTS } from './backend-size.ts';

const sim = await RdsSim.start({ tracking: { enabled: 'yes' }, commandLogLimit: 100 });
const hosts = Array.from({ length: HOSTS }, (_, index) =>
  sim.device.addHost({ name: `node-${index}`, addresses: [`10.0.${index >> 8}.${index & 255}`] }),
);
for (let index = 0; index < EXPORTS; index++) {
  const slot = `pvc-${String(index).padStart(8, '0')}`;
  sim.device.addVolume({ slot, nqn: `nqn.2026-01.example.test:${slot}`, sizeBytes: 10 * 2 ** 30 });
  hosts[index % HOSTS]?.connect(slot);
}
process.on('message', () => process.send?.(sim.commands.entries.length));
const { host, port, hostKey, credentials } = sim;
process.send?.({ host, port, hostKey, user: credentials.username, privateKey: credentials.privateKey });
