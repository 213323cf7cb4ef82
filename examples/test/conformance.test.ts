import { FakeClock } from '@reattach/core/testing';
import { describeBackend } from '@reattach/core/testing/backend-conformance';
import { arrayBackend } from '../own-backend/driver.ts';
import { FakeArray } from './fake-array.ts';

describeBackend('The array of the example', async () => {
  const clock = new FakeClock();
  const array = new FakeArray(clock);
  const backend = arrayBackend(array, clock);
  const [addressA, addressB] = [
    { kind: 'ip', value: '10.0.0.1' },
    { kind: 'ip', value: '10.0.0.2' },
  ] as const;
  array.powerOn(addressA.value, addressB.value);
  array.volumes.push('pvc-a');
  const stop = new AbortController();
  backend.start(stop.signal);
  await clock.advance(1_000);
  return {
    backend,
    addressA,
    addressB,
    volumeA: { volumeHandle: 'pvc-a', volumeAttributes: {}, singleWriter: true },
    now: () => clock.now(),
    advance: (ms) => clock.advance(ms),
    powerOffA: () => array.powerOff(addressA.value),
    writeA: async () => array.accepts(addressA.value),
    setReachable: async (isReachable) => void (array.isReachable = isReachable),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await backend[Symbol.asyncDispose]();
    },
  };
});
