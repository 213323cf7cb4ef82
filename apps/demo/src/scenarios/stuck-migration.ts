import type { Scenario } from '../scenario.ts';
import { fencedAre, releasedVolumes, untilDropped, VICTIM } from './expect.ts';

const TARGET = 'node-c';
const DISK = 'pvc-vm';
const SOURCE_POD = 'virt-launcher-vm-source';
const VMI = { kind: 'VirtualMachineInstance', name: 'vm' };
const TARGET_POD = 'virt-launcher-vm-target';

export const stuckMigration: Scenario = {
  name: 'stuck-migration',
  title:
    'the source node of a live migration is cut off: once that is proved, the migration does not hold up the release',
  mode: 'fence',
  world: { kubevirt: true },
  async play(run) {
    const { world, timeline } = run;
    const { store } = world.kube;
    const { kubelet, host } = world.node(VICTIM);
    const target = world.node(TARGET).workload;
    world.addVolume({ name: DISK, claim: 'vm-disk', accessModes: ['ReadWriteMany'] });
    world.kube.addPod({
      name: SOURCE_POD,
      nodeName: VICTIM,
      claims: ['vm-disk'],
      owner: VMI,
      phase: 'Pending',
    });
    await run.until('the virtual machine to run', () => world.podsOn(VICTIM).includes(SOURCE_POD));
    target.standBy(DISK);
    world.kube.addPod({
      name: TARGET_POD,
      nodeName: TARGET,
      claims: ['vm-disk'],
      owner: VMI,
      phase: 'Pending',
    });
    store.create({
      kind: 'VirtualMachineInstanceMigration',
      metadata: { name: 'vm-migration', namespace: 'default' },
      spec: { vmiName: 'vm' },
      status: { phase: 'Running' },
    });
    await run.until('the disk to be attached to both nodes', () =>
      [VICTIM, TARGET].every((node) => world.attachedTo(node).includes(DISK)),
    );
    timeline.add(
      'narration',
      `A virtual machine migrates from ${VICTIM} to ${TARGET}; ${DISK} is attached to both`,
    );
    timeline.add(
      'fault',
      `${VICTIM} is cut off from every network in the middle of the migration, and runs on`,
    );
    kubelet.stop();
    host.partition();
    await run.until(`${VICTIM} to be released`, () => world.attachedTo(VICTIM).length === 0);
    store.delete('VirtualMachineInstanceMigration', 'vm-migration', 'default');
    target.activate(DISK);
    timeline.add('narration', `The virtual machine runs on ${TARGET}`);
    await run.until('every replica to run', () => world.isSettled);
    host.heal();
    timeline.add('narration', `${VICTIM} reaches the backend again, with writes that were never answered`);
    await untilDropped(run);
  },
  judge: ({ released, held }, run) => [
    ...releasedVolumes(released, held, 3),
    ...fencedAre(run, [run.world.node(VICTIM).address]),
  ],
};
