import type { Section } from './reply.ts';

/** Write counters of the block device behind a namespace. */
export interface DeviceCounters {
  /** Writes completed and sectors written, as text: changes with every write that ended. */
  readonly writes: string;
  /** I/O that the block layer has accepted and not finished. A slow disk below a virtual device does not show here. */
  readonly inFlight: number;
}

/**
 * Parses the section `devices`, by device path. A line that is not understood is left out: without counters nothing is concluded.
 * @see Linux Documentation/block/stat.rst
 */
export function parseDevices({ lines }: Section): ReadonlyMap<string, DeviceCounters> {
  const devices = new Map<string, DeviceCounters>();
  for (const line of lines) {
    const [path = '', , stat = '', inflight = ''] = line.split('\t');
    const fields = stat.trim().split(/\s+/);
    const [, , , , writesCompleted, , sectorsWritten, , ioInProgress] = fields;
    const running = inflight.trim().split(/\s+/).map(Number);
    const inFlight = Math.max(Number(ioInProgress), ...running);
    if (path === '' || sectorsWritten === undefined || !Number.isFinite(inFlight)) continue;
    devices.set(path, { writes: `${writesCompleted} ${sectorsWritten}`, inFlight });
  }
  return devices;
}
