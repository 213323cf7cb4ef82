import {
  type FenceRecord,
  ipAddresses,
  type StorageQuery,
  type StorageReading,
  silentLogger,
} from '@reattach/core';
import { FakeClock } from '@reattach/core/testing';
import { LinuxTarget } from '@reattach/linux-target-sim';
import { type Device, InProcessRds, type SimHost } from '@reattach/rds-sim';
import { FakeSession } from '@reattach/ssh-transport/testing';
import { assembleLinuxTarget, type LinuxTargetBackend, linuxTargetDescriptor } from '../../src/index.ts';

const defaultOf = (key: string) => linuxTargetDescriptor.options[key]?.default;

export const NEVER: AbortSignal = new AbortController().signal;

/** A simulated target with hosts `node-a` and `node-b`, one volume each, and a backend that reads it without SSH. */
export class TargetWorld {
  readonly clock: FakeClock = new FakeClock();
  readonly device: Device;
  readonly target: LinuxTarget;
  readonly session: FakeSession;
  readonly backend: LinuxTargetBackend;
  readonly a: SimHost;
  readonly b: SimHost;

  constructor(options: { readonly writeServiceMs?: number; readonly keepAliveTimeoutMs?: number } = {}) {
    const { clock } = this;
    this.device = new InProcessRds({ clock, address: '10.0.0.10', ...options }).device;
    this.target = new LinuxTarget(this.device);
    this.session = new FakeSession(clock);
    this.session.answer = (request) => this.target.answer(request);
    [this.a, this.b] = ['a', 'b'].map((name, index) => {
      this.device.addVolume({
        slot: `pvc-${name}`,
        nqn: `nqn.2003-01.org.linux-nvme:${name}`,
        sizeBytes: 2 ** 30,
      });
      const host = this.device.addHost({
        name: `node-${name}`,
        addresses: [`10.0.0.${index + 11}`],
        ...(options.keepAliveTimeoutMs !== undefined && { keepAliveTimeoutMs: options.keepAliveTimeoutMs }),
      });
      host.connect(`pvc-${name}`);
      host.mount(`pvc-${name}`);
      return host;
    }) as [SimHost, SimHost];
    this.backend = assembleLinuxTarget(
      'target-1',
      {
        host: '10.0.0.10',
        port: 22,
        storageAddresses: ['10.0.0.10'],
        ports: [],
        addressAttributes: ['transports', 'transport'],
        nqnTemplate: '{nqn}',
        nsidTemplate: '{nsid}',
        activityWindowMs: Number(defaultOf('activityWindowMs')),
        idlePollMs: 20_000,
        writesStillMs: 2_000,
      },
      () => Promise.resolve(this.session),
      { clock, logger: silentLogger, random: () => 0 },
    );
  }

  /** Connects, and reads every 5 s for `ms`. */
  async observeFor(ms: number): Promise<StorageReading> {
    let reading = await this.read();
    for (let left = ms; left > 0; left -= 5_000) {
      await this.clock.advance(Math.min(5_000, left));
      reading = await this.read();
    }
    return reading;
  }

  read(): Promise<StorageReading> {
    return this.backend.observe(ABOUT_A, NEVER);
  }
}

/** `node-a` is suspect; `node-b` accounts for the other session. */
export const ABOUT_A: StorageQuery = {
  clusterId: 'cluster-1',
  owner: 'org.democratic-csi.nvmeof',
  suspects: [
    {
      name: 'node-a',
      uid: 'uid-a',
      machineId: 'machine-a',
      bootId: 'boot-a',
      addresses: ipAddresses(['10.0.0.11']),
      volumes: [
        {
          volumeHandle: 'tank/a',
          volumeAttributes: {
            transports: 'tcp://10.0.0.10:4420',
            nqn: 'nqn.2003-01.org.linux-nvme:a',
            nsid: '1',
          },
          singleWriter: true,
        },
      ],
    },
  ],
  peers: [{ name: 'node-b', addresses: ipAddresses(['10.0.0.12']) }],
};

export const RECORD: FenceRecord = {
  id: '0badf00d',
  clusterId: 'cluster-1',
  owner: 'org.democratic-csi.nvmeof',
  nodeName: 'node-a',
  nodeUid: 'uid-a',
  machineId: 'machine-a',
  bootId: 'boot-a',
  addresses: ipAddresses(['10.0.0.11']),
  fencedAtMs: 1_767_225_600_000,
};
