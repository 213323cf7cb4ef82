import { type BackendWorld, describeBackend } from '@reattach/core/testing/backend-conformance';
import { until } from '../support/turns.ts';
import { NODE_A, NODE_B, startBackend, VOLUME_A } from './backend-fixture.ts';

describeBackend('RdsBackend', async (): Promise<BackendWorld> => {
  const { backend, clock, hostA, sim, ...fixture } = await startBackend();
  const [[addressA], [addressB]] = [NODE_A.addresses, NODE_B.addresses];
  if (!addressA || !addressB) throw new TypeError('no address');
  return {
    backend,
    addressA,
    addressB,
    volumeA: VOLUME_A,
    now: () => clock.now(),
    advance: async (ms) => {
      await clock.advance(ms);
    },
    powerOffA: () => hostA.powerOff(),
    writeA: async () => hostA.write('pvc-a'),
    async setReachable(isReachable) {
      if (isReachable) {
        await sim.faults.up();
        await clock.advance(20_000);
        await until(() => !backend.health().detail.includes('dialling'));
      } else {
        await sim.faults.down();
        await until(() => !backend.health().connected);
      }
    },
    [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose](),
  };
});
