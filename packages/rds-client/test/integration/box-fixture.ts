import type { StorageNode, StorageQuestion, StorageVolume } from '@reattach/core';
import { FakeClock, RecordingLogger } from '@reattach/core/testing';
import { RdsSim, type RdsSimOptions, type SimHost } from '@reattach/rds-sim';
import { createRdsBox, type RdsBox, type RdsBoxOptions } from '../../src/index.ts';

export const NEVER: AbortSignal = new AbortController().signal;

export const DROP_RULE =
  '/ip/firewall/raw/add chain=prerouting action=drop protocol=tcp dst-port=4420 src-address-list=reattach-fenced comment="reattach"';

/** A simulator with two connected hosts and the client of it, both on one fake clock. */
export interface BoxFixture extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly logger: RecordingLogger;
  readonly sim: RdsSim;
  readonly box: RdsBox;
  readonly hostA: SimHost;
  readonly hostB: SimHost;
}

export const NODE_A: StorageNode = { name: 'node-a', addresses: ['10.0.5.1'], addressesFrom: 'node' };
export const NODE_B: StorageNode = { name: 'node-b', addresses: ['10.0.5.2'], addressesFrom: 'node' };
export const VOLUME_A: StorageVolume = { volumeHandle: 'pvc-a', volumeAttributes: { nqn: 'nqn.test:pvc-a' } };
export const ABOUT_A: StorageQuestion = { suspects: [NODE_A], others: [NODE_B], volumes: [VOLUME_A] };

export async function startSim(clock: FakeClock, options: RdsSimOptions = {}): Promise<RdsSim> {
  const sim = await RdsSim.start({ clock, tracking: { enabled: 'yes' }, ...options });
  sim.box.addVolume({ slot: 'pvc-a', nqn: 'nqn.test:pvc-a', sizeBytes: 1024 ** 3 });
  sim.box.addVolume({ slot: 'pvc-b', nqn: 'nqn.test:pvc-b', sizeBytes: 1024 ** 3 });
  return sim;
}

/** The client of a simulator, not started. */
export function boxOf(sim: RdsSim, clock: FakeClock, options: Partial<RdsBoxOptions> = {}): RdsBox {
  return createRdsBox({
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

export async function startBox(
  simOptions: RdsSimOptions = {},
  boxOptions: Partial<RdsBoxOptions> = {},
): Promise<BoxFixture> {
  const clock = new FakeClock();
  const logger = new RecordingLogger();
  const sim = await startSim(clock, simOptions);
  sim.run(DROP_RULE);
  const hostA = sim.box.addHost({ name: 'node-a', addresses: ['10.0.5.1'] });
  const hostB = sim.box.addHost({ name: 'node-b', addresses: ['10.0.5.2'] });
  hostA.connect('pvc-a');
  hostB.connect('pvc-b');
  await clock.advance(60_000);
  const box = boxOf(sim, clock, { logger, ...boxOptions });
  box.start(NEVER);
  return {
    clock,
    logger,
    sim,
    box,
    hostA,
    hostB,
    async [Symbol.asyncDispose]() {
      await box[Symbol.asyncDispose]();
      await sim[Symbol.asyncDispose]();
    },
  };
}
