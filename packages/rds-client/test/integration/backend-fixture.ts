import { ipAddresses, type StorageNode, type StorageQuery, type StorageVolume } from '@reattach/core';
import { FakeClock, RecordingLogger } from '@reattach/core/testing';
import { RdsSim, type RdsSimOptions, type SimHost } from '@reattach/rds-sim';
import { createRdsBackend, type RdsBackend, type RdsBackendOptions } from '../../src/index.ts';

export const NEVER: AbortSignal = new AbortController().signal;

export const DROP_RULE =
  '/ip/firewall/raw/add chain=prerouting action=drop protocol=tcp dst-port=4420 src-address-list=reattach-fenced comment="reattach"';

/** A simulator with two connected hosts and the client of it, both on one fake clock. */
export interface BackendFixture extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly logger: RecordingLogger;
  readonly sim: RdsSim;
  readonly backend: RdsBackend;
  readonly hostA: SimHost;
  readonly hostB: SimHost;
}

export const NODE_A: StorageNode = { name: 'node-a', addresses: ipAddresses(['10.0.5.1']) };
export const NODE_B: StorageNode = { name: 'node-b', addresses: ipAddresses(['10.0.5.2']) };
export const VOLUME_A: StorageVolume = {
  volumeHandle: 'pvc-a',
  volumeAttributes: { nqn: 'nqn.test:pvc-a' },
  singleWriter: true,
};
export const ABOUT_A: StorageQuery = { suspects: [{ ...NODE_A, volumes: [VOLUME_A] }], peers: [NODE_B] };

export async function startSim(clock: FakeClock, options: RdsSimOptions = {}): Promise<RdsSim> {
  const sim = await RdsSim.start({ clock, tracking: { enabled: 'yes' }, ...options });
  sim.device.addVolume({ slot: 'pvc-a', nqn: 'nqn.test:pvc-a', sizeBytes: 1024 ** 3 });
  sim.device.addVolume({ slot: 'pvc-b', nqn: 'nqn.test:pvc-b', sizeBytes: 1024 ** 3 });
  return sim;
}

/** The client of a simulator, not started. */
export function backendOf(
  sim: RdsSim,
  clock: FakeClock,
  options: Partial<RdsBackendOptions> = {},
): RdsBackend {
  return createRdsBackend({
    name: 'rds-1',
    host: sim.host,
    port: sim.port,
    user: sim.credentials.username,
    privateKey: sim.credentials.privateKey,
    hostKey: sim.hostKey,
    clock,
    random: () => 0.5,
    ...options,
  });
}

export async function startBackend(
  simOptions: RdsSimOptions = {},
  backendOptions: Partial<RdsBackendOptions> = {},
): Promise<BackendFixture> {
  const clock = new FakeClock();
  const logger = new RecordingLogger();
  const sim = await startSim(clock, simOptions);
  sim.run(DROP_RULE);
  const hostA = sim.device.addHost({ name: 'node-a', addresses: ['10.0.5.1'] });
  const hostB = sim.device.addHost({ name: 'node-b', addresses: ['10.0.5.2'] });
  hostA.connect('pvc-a');
  hostB.connect('pvc-b');
  await clock.advance(60_500); // between two keep-alives, whose answers are acknowledged
  const backend = backendOf(sim, clock, { logger, ...backendOptions });
  backend.start(NEVER);
  // Hosts must be heard for a window before silence proves anything.
  await backend.observe(ABOUT_A, NEVER);
  await clock.advance(16_000);
  await backend.observe(ABOUT_A, NEVER);
  return {
    clock,
    logger,
    sim,
    backend,
    hostA,
    hostB,
    async [Symbol.asyncDispose]() {
      await backend[Symbol.asyncDispose]();
      await sim[Symbol.asyncDispose]();
    },
  };
}

/** Lets time pass while the backend is read every two seconds, as it is while a node is suspect. */
export async function watchFor({ backend, clock }: BackendFixture, durationMs: number): Promise<void> {
  for (let passedMs = 0; passedMs < durationMs; passedMs += 2_000) {
    await clock.advance(2_000);
    await backend.observe(ABOUT_A, NEVER);
  }
}
