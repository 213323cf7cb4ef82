import type { OperationFamily } from './operation.ts';

/** The list that holds fenced addresses. */
const FENCE_LIST = 'reattach-fenced';

/** The backend: its power, its disks, its tables and what administrators do to them. */
export const BACKEND: OperationFamily = {
  'backend-reboot': {
    weight: 4,
    apply: ({ storage, clock }, { value }) => {
      storage.stop();
      clock.after(5_000 + Math.floor(value * 60_000), () => storage.boot());
      return undefined;
    },
  },
  'backend-silent': {
    weight: 2,
    apply: ({ storage }) => {
      storage.isSilent = true;
      return () => {
        storage.isSilent = false;
      };
    },
  },
  'rule-disabled': {
    weight: 3,
    apply: (world) => {
      const { storage } = world;
      world.tampered();
      for (const rule of storage.device.raw.rules) rule.disabled = true;
      return () => {
        for (const rule of storage.device.raw.rules) rule.disabled = false;
      };
    },
  },
  'rule-removed': {
    weight: 2,
    apply: (world) => {
      const { raw } = world.storage.device;
      world.tampered();
      for (const rule of raw.rules) raw.remove(rule);
      return () => {
        if (raw.rules.length === 0) world.storage.device.addDropRule();
      };
    },
  },
  /** A rule in front of the drop rule lets everything pass. */
  'rule-bypassed': {
    weight: 2,
    apply: (world) => {
      const { raw } = world.storage.device;
      const [before] = raw.rules;
      world.tampered();
      const bypass = raw.add(
        { chain: 'prerouting', action: 'accept', protocol: 'tcp', comment: 'not ours' },
        { before },
      );
      return () => {
        if (raw.rules.includes(bypass)) raw.remove(bypass);
      };
    },
  },
  'rule-narrowed': {
    weight: 2,
    apply: (world) => {
      const { storage } = world;
      world.tampered();
      for (const rule of storage.device.raw.rules) rule.set('time', '8h-17h,mon,tue,wed,thu,fri');
      return () => {
        for (const rule of storage.device.raw.rules) rule.unset('time');
      };
    },
  },
  'entries-removed': {
    weight: 3,
    apply: (world) => {
      const { storage } = world;
      world.tampered();
      for (const entry of storage.device.addressList.entries) storage.device.addressList.remove(entry);
      return undefined;
    },
  },
  'entries-disabled': {
    weight: 2,
    apply: (world) => {
      const { storage } = world;
      world.tampered();
      const { addressList } = storage.device;
      for (const entry of addressList.entries) addressList.change(entry, { disabled: true });
      return undefined;
    },
  },
  /** A backup from before the last fences is restored. */
  'configuration-restored': {
    weight: 2,
    apply: (world) => {
      const { storage } = world;
      world.tampered();
      const { addressList } = storage.device;
      const [, ...newer] = addressList.entries;
      for (const entry of newer) addressList.remove(entry);
      storage.stop();
      storage.boot();
      return undefined;
    },
  },
  'foreign-rows': {
    weight: 2,
    apply: ({ storage }, { value }) => {
      const { addressList } = storage.device;
      const address = value < 0.5 ? '192.0.2.0/24' : '198.51.100.7';
      if (addressList.entries.some((entry) => entry.address === address)) return undefined;
      const entry = addressList.add({ list: FENCE_LIST, address, comment: 'not ours: maintenance' });
      return () => addressList.remove(entry);
    },
  },
  'sessions-flushed': {
    weight: 2,
    apply: ({ storage }) => {
      storage.device.connections.clear();
      return undefined;
    },
  },
  'tracking-off': {
    weight: 1,
    apply: ({ storage }) => {
      storage.device.connections.settings.enabled = 'no';
      return () => {
        storage.device.connections.settings.enabled = 'yes';
      };
    },
  },
  'established-timeout-lowered': {
    weight: 1,
    apply: ({ storage }) => {
      const { settings } = storage.device.connections;
      const { tcpEstablishedTimeoutMs } = settings.current;
      settings.change({ tcpEstablishedTimeoutMs: 60_000 });
      return () => settings.change({ tcpEstablishedTimeoutMs });
    },
  },
  'slow-disk': {
    weight: 3,
    apply: ({ storage }, { value }) => {
      const before = storage.device.writeServiceMs;
      storage.device.writeServiceMs = value < 0.5 ? 15_000 : 45_000;
      return () => {
        storage.device.writeServiceMs = before;
      };
    },
  },
};
