import type { BackendPorts, StorageBackend } from '@reattach/core';
import { assembleRdsBackend, DEFAULT_IDLE_POLL_MS } from '@reattach/rds-client/testing';
import { type Device, InProcessRds } from '@reattach/rds-sim';
import type { Dial } from '@reattach/ssh-transport';
import type { SimulationClock } from '../time/simulation-clock.ts';
import type { RecordedFence, StorageProduct, Tampering } from './storage-product.ts';

/** The list that holds fenced addresses. */
const FENCE_LIST = 'reattach-fenced';

/** Commands that change the fence list; everything else only reads. */
const EFFECT = /address-list\/?\s*(add|remove|set|enable|disable)|\/(add|remove|set|enable|disable)\b/;

/** A MikroTik RDS: RouterOS commands, evidence from connection tracking, fences in an address list. */
export class RdsProduct implements StorageProduct {
  readonly tampering: Tampering;
  readonly #rds: InProcessRds;
  readonly #address: string;

  constructor(clock: SimulationClock, address: string) {
    this.#address = address;
    this.#rds = new InProcessRds({ clock, address, tracking: { enabled: 'yes' } });
    this.device.addDropRule();
    this.tampering = tamperingOf(this.device);
  }

  get device(): Device {
    return this.#rds.device;
  }

  get fences(): readonly RecordedFence[] {
    return this.device.addressList.entries.map(({ id: { number }, address, comment = '' }) => {
      const [, id, nodeName] = /\bid=([0-9a-f]{8}) node=(\S+)/.exec(comment) ?? [];
      return {
        key: `${number} ${comment}`,
        address,
        isOurs: comment.startsWith('reattach/'),
        id,
        nodeName,
      };
    });
  }

  get hasDropRule(): boolean {
    const [first] = this.device.raw.rules.filter(({ disabled, invalid }) => !disabled && !invalid);
    return first?.properties.get('action') === 'drop' && !first.properties.has('time');
  }

  get showsSessions(): boolean {
    return this.device.connections.settings.enabled !== 'no';
  }

  answer(command: string): string {
    return this.#rds.run(command).output;
  }

  isEffect(command: string): boolean {
    return EFFECT.test(command);
  }

  fenceByHand(address: string): () => void {
    const { addressList } = this.device;
    const entry = addressList.add({ list: FENCE_LIST, address, comment: 'by hand' });
    return () => addressList.remove(entry);
  }

  removeFence({ key }: RecordedFence): void {
    const { addressList } = this.device;
    for (const entry of addressList.entries) {
      if (`${entry.id.number} ${entry.comment ?? ''}` === key) addressList.remove(entry);
    }
  }

  repair(): void {
    const { raw, connections } = this.device;
    for (const rule of raw.rules) rule.disabled = false;
    if (raw.rules.length === 0) this.device.addDropRule();
    connections.settings.enabled = 'yes';
  }

  connect(dial: Dial, ports: BackendPorts): StorageBackend {
    return assembleRdsBackend({
      name: 'rds-1',
      host: this.#address,
      port: 22,
      storageAddresses: [this.#address],
      activityWindowMs: 15_000,
      idlePollMs: DEFAULT_IDLE_POLL_MS,
      maxQuiesceMs: 300_000,
      writesStillMs: 2_000,
      dial,
      ...ports,
    });
  }

  [Symbol.dispose](): void {
    this.#rds[Symbol.dispose]();
  }
}

function tamperingOf(device: Device): Tampering {
  const { raw, addressList, connections } = device;
  return {
    disableRule() {
      for (const rule of raw.rules) rule.disabled = true;
      return () => {
        for (const rule of raw.rules) rule.disabled = false;
      };
    },
    removeRule() {
      for (const rule of raw.rules) raw.remove(rule);
      return () => {
        if (raw.rules.length === 0) device.addDropRule();
      };
    },
    bypassRule() {
      const [before] = raw.rules;
      const properties = { chain: 'prerouting', action: 'accept', protocol: 'tcp', comment: 'not ours' };
      const bypass = raw.add(properties, { before });
      return () => {
        if (raw.rules.includes(bypass)) raw.remove(bypass);
      };
    },
    narrowRule() {
      for (const rule of raw.rules) rule.set('time', '8h-17h,mon,tue,wed,thu,fri');
      return () => {
        for (const rule of raw.rules) rule.unset('time');
      };
    },
    removeEntries() {
      for (const entry of addressList.entries) addressList.remove(entry);
    },
    disableEntries() {
      for (const entry of addressList.entries) addressList.change(entry, { disabled: true });
    },
    restoreOldEntries() {
      const [, ...newer] = addressList.entries;
      for (const entry of newer) addressList.remove(entry);
    },
    addForeignEntry(address) {
      if (addressList.entries.some((entry) => entry.address === address)) return undefined;
      const entry = addressList.add({ list: FENCE_LIST, address, comment: 'not ours: maintenance' });
      return () => addressList.remove(entry);
    },
    flushSessions: () => connections.clear(),
    stopTracking() {
      connections.settings.enabled = 'no';
      return () => {
        connections.settings.enabled = 'yes';
      };
    },
    lowerEstablishedTimeout() {
      const { settings } = connections;
      const { tcpEstablishedTimeoutMs } = settings.current;
      settings.change({ tcpEstablishedTimeoutMs: 60_000 });
      return () => settings.change({ tcpEstablishedTimeoutMs });
    },
  };
}
