import { FakeClock } from '@reattach/core/testing';
import { Device, type DeviceOptions } from '../device/device.ts';
import type { SimHost, SimHostOptions } from './sim-host.ts';

export const DAY_MS = 86_400_000;
export const ADDRESS = '10.0.5.1';

/** A device with one volume, `vol`, and two hosts. Tracking is on. */
export function setUp(
  options: Partial<DeviceOptions> = {},
  hostOptions: Partial<SimHostOptions> = {},
): { clock: FakeClock; device: Device; a: SimHost; b: SimHost } {
  const clock = new FakeClock();
  const device = new Device({ clock, tracking: { enabled: 'yes' }, ...options });
  device.addVolume({ slot: 'vol', nqn: 'nqn.vol', sizeBytes: 1024 ** 3 });
  const a = device.addHost({ name: 'node-a', addresses: [ADDRESS], ...hostOptions });
  const b = device.addHost({ name: 'node-b', addresses: ['10.0.5.2'] });
  return { clock, device, a, b };
}

/** What is left of each entry of node-a, ms. */
export const remaining = (device: Device, clock: FakeClock): number[] =>
  device.connections.entries
    .filter(({ flow }) => flow.hostAddress === ADDRESS)
    .map(({ expiresAtMs }) => expiresAtMs - clock.now());

/** How long ago a packet of each connection of node-a passed, ms. */
export const ages = (device: Device, clock: FakeClock): number[] =>
  remaining(device, clock).map((left) => DAY_MS - left);

export const states = (device: Device): string[] =>
  device.connections.entries
    .filter(({ flow }) => flow.hostAddress === ADDRESS)
    .map(({ tcpState }) => tcpState);
