import type { Clock } from '@reattach/core';
import type { Changes } from '../device/changes.ts';
import type { PacketPath } from '../device/packet-path.ts';
import type { Oracle } from './oracle.ts';
import type { Target } from './target.ts';
import type { Volume } from './volume.ts';

/** What a host needs of the device it is connected to. */
export interface StorageNetwork {
  readonly clock: Clock;
  readonly changes: Changes;
  readonly path: PacketPath;
  readonly target: Target;
  readonly oracle: Oracle;
  /** Where the device is reached. */
  readonly address: string;
  volume(slot: string): Volume | undefined;
  /** Whether the target accepts TCP connections on a port: while a volume is exported there. */
  isListening(port: number): boolean;
}
