import type { Scenario } from '../scenario.ts';
import { fencedAre, heldAll, untilHeld, VICTIM } from './expect.ts';

const NEWCOMER = 'node-d';
const REASON = 'address-conflict';

export const sharedAddress: Scenario = {
  name: 'shared-address',
  title:
    'the address of a dead node was given to another node, which writes: a fence would cut that one off, so Reattach holds',
  mode: 'fence',
  lesson: {
    learn:
      'A fence works by address. One address that two nodes claim proves nothing about either, and a fence would cut off both.',
    next: `Make sure that ${VICTIM} is powered off, then give it another address or release by hand: docs/runbook.md#address-conflict`,
  },
  async play(run) {
    const { world, timeline } = run;
    const { address } = world.node(VICTIM);
    timeline.add(
      'fault',
      `${VICTIM} loses its power, and its address ${address} is given to the new node ${NEWCOMER}`,
    );
    world.powerOff(VICTIM);
    world.addMachine({ nodeName: NEWCOMER, address });
    world.addVolume({ name: 'pvc-web', claim: 'web' });
    world.kube.addPod({ name: 'web', nodeName: NEWCOMER, claims: ['web'], phase: 'Pending' });
    await run.until(`a pod to run on ${NEWCOMER}`, () => world.podsOn(NEWCOMER).length > 0);
    await untilHeld(run, REASON);
  },
  judge(outcome, run) {
    const why = String(run.logged('Held release', { reason: REASON })[0]?.['why']);
    const isNamed = [VICTIM, NEWCOMER].every((name) => why.includes(name));
    return [
      ...heldAll(REASON)(outcome, run),
      ...fencedAre(run, []),
      ...(isNamed ? [] : [`expected the hold to name both claimants, got "${why}"`]),
    ];
  },
};
