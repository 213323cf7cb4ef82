import type { BackendPorts, StorageBackend } from '@reattach/core';
import { assembleLinuxTarget } from '@reattach/linux-target-client';
import { LinuxTarget } from '@reattach/linux-target-sim';
import { type Device, InProcessRds } from '@reattach/rds-sim';
import type { Dial } from '@reattach/ssh-transport';
import type { SimulationClock } from '../time/simulation-clock.ts';
import type { RecordedFence, StorageProduct, Tampering } from './storage-product.ts';

const NONCE = '0123456789abcdef';

/** A Linux NVMe/TCP target: the forced command, evidence from the target's sockets, fences in an nft set. */
export class LinuxProduct implements StorageProduct {
  readonly device: Device;
  readonly tampering: Tampering;
  readonly #target: LinuxTarget;
  readonly #address: string;
  #byHand = 0;

  constructor(clock: SimulationClock, address: string) {
    this.#address = address;
    this.device = new InProcessRds({ clock, address, tracking: { enabled: 'yes' } }).device;
    this.#target = new LinuxTarget(this.device);
    this.tampering = tamperingOf(this.#target);
  }

  get fences(): readonly RecordedFence[] {
    return this.#target.table.entries.map(({ address, id, words }) => {
      const word = (name: string) =>
        words.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);
      const isOurs = word('by') !== 'hand';
      return { key: words.join(' '), address, isOurs, id, nodeName: word('node') };
    });
  }

  /** Before the first fence there is no table, and nothing that it would have to drop. */
  get hasDropRule(): boolean {
    const { table } = this.#target;
    return table.entries.every(({ address }) => this.device.blocks(address));
  }

  get showsSessions(): boolean {
    return true;
  }

  answer(command: string): string {
    return this.#target.answer(command);
  }

  isEffect(command: string): boolean {
    return !command.startsWith('read ');
  }

  fenceByHand(address: string): () => void {
    this.#byHand += 1;
    const id = (0xf0_00_00_00 + this.#byHand).toString(16);
    this.answer(`fence ${NONCE} ports=4420 addresses=${address} id=${id} by=hand`);
    return () => void this.answer(`unfence ${NONCE} id=${id}`);
  }

  removeFence({ id }: RecordedFence): void {
    if (id !== undefined) this.answer(`unfence ${NONCE} id=${id}`);
  }

  repair(): void {
    if (this.#target.table.entries.length > 0) this.#target.table.restore();
  }

  connect(dial: Dial, ports: BackendPorts): StorageBackend {
    const settings = {
      host: this.#address,
      port: 22,
      storageAddresses: [this.#address],
      ports: [4420],
      addressAttributes: ['nvmeAddress'],
      nqnTemplate: '{nqn}',
      nsidTemplate: '',
      activityWindowMs: 15_000,
      idlePollMs: 20_000,
      writesStillMs: 2_000,
    };
    return assembleLinuxTarget('linux-1', settings, dial, ports);
  }

  [Symbol.dispose](): void {
    this.device[Symbol.dispose]();
  }
}

/** The product has nothing of the kind. */
const nothing = () => undefined;

/** nftables has one table of ours: what an administrator does to it flushes, empties or narrows it. */
function tamperingOf({ table }: LinuxTarget): Tampering {
  const flush = () => {
    table.flush();
    return undefined;
  };
  return {
    disableRule: flush,
    removeRule: flush,
    // An accept verdict of another table ends that table only: nftables has no such bypass.
    bypassRule: nothing,
    narrowRule() {
      if (!table.exists) return undefined;
      table.narrow({ match: { op: '==', left: { meta: { key: 'hour' } }, right: '8:00-17:00' } });
      return () => table.restore();
    },
    removeEntries: () => table.flush(),
    disableEntries: () => table.flush(),
    restoreOldEntries() {
      const [, ...newer] = table.entries;
      for (const { id } of newer) table.unfence(id);
    },
    addForeignEntry: nothing,
    flushSessions: nothing,
    stopTracking: nothing,
    lowerEstablishedTimeout: nothing,
  };
}
