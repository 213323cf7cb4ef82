import type { OperationFamily } from './operation.ts';

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
      world.tampered();
      return world.storage.product.tampering.disableRule();
    },
  },
  'rule-removed': {
    weight: 2,
    apply: (world) => {
      world.tampered();
      return world.storage.product.tampering.removeRule();
    },
  },
  /** A rule in front of the drop rule lets everything pass. */
  'rule-bypassed': {
    weight: 2,
    apply: (world) => {
      world.tampered();
      return world.storage.product.tampering.bypassRule();
    },
  },
  'rule-narrowed': {
    weight: 2,
    apply: (world) => {
      world.tampered();
      return world.storage.product.tampering.narrowRule();
    },
  },
  'entries-removed': {
    weight: 3,
    apply: (world) => {
      world.tampered();
      world.storage.product.tampering.removeEntries();
      return undefined;
    },
  },
  'entries-disabled': {
    weight: 2,
    apply: (world) => {
      world.tampered();
      world.storage.product.tampering.disableEntries();
      return undefined;
    },
  },
  /** A backup from before the last fences is restored. */
  'configuration-restored': {
    weight: 2,
    apply: (world) => {
      world.tampered();
      const { storage } = world;
      storage.product.tampering.restoreOldEntries();
      storage.stop();
      storage.boot();
      return undefined;
    },
  },
  'foreign-rows': {
    weight: 2,
    apply: ({ storage }, { value }) =>
      storage.product.tampering.addForeignEntry(value < 0.5 ? '192.0.2.0/24' : '198.51.100.7'),
  },
  'sessions-flushed': {
    weight: 2,
    apply: ({ storage }) => {
      storage.product.tampering.flushSessions();
      return undefined;
    },
  },
  'tracking-off': {
    weight: 1,
    apply: ({ storage }) => storage.product.tampering.stopTracking(),
  },
  'established-timeout-lowered': {
    weight: 1,
    apply: ({ storage }) => storage.product.tampering.lowerEstablishedTimeout(),
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
