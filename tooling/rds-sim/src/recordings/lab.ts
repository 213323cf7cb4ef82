import { FakeClock } from '@reattach/core/testing';
import { HOSTS, TARGET } from '@reattach/recordings';
import { Device, type DeviceOptions } from '../device/device.ts';
import type { SimHost, SimHostOptions } from '../nvme/sim-host.ts';
import { type RowSample, rowsNow } from './queue-steps.ts';

/** The laboratory of the recordings, simulated: a target with vol1 to vol3, and hosts that connect with its options. */
export class Lab {
  readonly clock: FakeClock = new FakeClock();
  readonly device: Device;

  constructor(options: Partial<DeviceOptions> = {}) {
    this.device = new Device({
      clock: this.clock,
      address: TARGET.address,
      tracking: { enabled: 'yes' },
      ...options,
    });
    this.device.addDropRule({ list: 'fenced' });
    for (const slot of ['vol1', 'vol2', 'vol3']) {
      this.device.addVolume({ slot, nqn: `nqn.lab:${slot}`, sizeBytes: 64 * 1024 ** 2 });
    }
  }

  /** Connects as the scripts do: `--ctrl-loss-tmo=-1 --reconnect-delay=5`, one I/O queue. */
  host(name: keyof typeof HOSTS, slot: string, options: Partial<SimHostOptions> = {}): SimHost {
    const host = this.device.addHost({
      name,
      addresses: [HOSTS[name]],
      reconnectDelayMs: 5_000,
      keepAliveIntervalMs: ((options.keepAliveTimeoutMs ?? 5_000) / 4) * 1.024, // the kernel's timer is that late
      ...options,
    });
    host.connect(slot);
    return host;
  }

  fence(name: keyof typeof HOSTS): void {
    this.device.addressList.add({ list: 'fenced', address: HOSTS[name] });
  }

  unfence(): void {
    for (const entry of this.device.addressList.entries) this.device.addressList.remove(entry);
  }

  /** Writes every `everyMs` for `forMs`. */
  async write(host: SimHost, slot: string, everyMs: number, forMs: number): Promise<void> {
    const endMs = this.clock.now() + forMs;
    while (this.clock.now() < endMs) {
      host.write(slot);
      await this.clock.advance(everyMs);
    }
  }

  /** Lets the simulator run until the admin queue has been silent for as long as in the recording at the event. */
  async alignKeepAlive(name: keyof typeof HOSTS, recorded: readonly RowSample[]): Promise<void> {
    const last = recorded.findLast(({ atMs }) => atMs <= 0);
    const wantedSeconds = adminAgeSeconds(last?.rows ?? []);
    for (
      let i = 0;
      i < 100 && adminAgeSeconds(rowsNow(this.device, this.clock, HOSTS[name])) !== wantedSeconds;
      i++
    ) {
      await this.clock.advance(100);
    }
  }

  [Symbol.dispose](): void {
    this.device[Symbol.dispose]();
  }
}

/** How long the admin queue, that of the lowest port, has been silent, s. */
export function adminAgeSeconds(rows: RowSample['rows']): number {
  return 86_400 - (rows.toSorted((a, b) => a.port - b.port)[0]?.remainingSeconds ?? 0);
}
