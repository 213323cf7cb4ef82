import { addressKey, type StorageAddress } from '../model/storage-address.ts';
import { type BackendWorld, describeBackend } from './backend-conformance.ts';
import { FakeClock } from './fake-clock.ts';
import { InMemoryBackend } from './in-memory-backend.ts';

describeBackend('InMemoryBackend', async (): Promise<BackendWorld> => {
  const clock = new FakeClock();
  const backend = new InMemoryBackend(clock);
  const [addressA, addressB]: readonly [StorageAddress, StorageAddress] = [
    { kind: 'nqn', value: 'nqn.test:a' },
    { kind: 'nqn', value: 'nqn.test:b' },
  ];
  let isOn = true;
  const isFenced = () =>
    (backend.lastReading?.fences ?? []).some(({ inForce }) =>
      inForce.some((each) => addressKey(each) === addressKey(addressA)),
    );
  const talk = () => {
    if (isOn && !isFenced()) backend.talkedAtMs.set(addressKey(addressA), clock.now());
    backend.talkedAtMs.set(addressKey(addressB), clock.now());
  };
  backend.start();
  backend.exported.add('pvc-a');
  talk();
  return {
    backend,
    addressA,
    addressB,
    volumeA: { volumeHandle: 'pvc-a', volumeAttributes: {}, singleWriter: true },
    now: () => clock.now(),
    async advance(ms) {
      await clock.advance(ms);
      talk();
    },
    powerOffA: () => void (isOn = false),
    async writeA() {
      await backend.observe({ suspects: [], peers: [] }, new AbortController().signal);
      return isOn && !isFenced();
    },
    setReachable: async (isReachable) => void (backend.isReachable = isReachable),
    [Symbol.asyncDispose]: async () => undefined,
  };
});
