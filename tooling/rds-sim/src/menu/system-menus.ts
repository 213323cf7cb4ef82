import type { Device } from '../device/device.ts';
import type { Dialect } from '../dialect.ts';
import { Duration, ItemId, type Value } from '../script/value.ts';
import { required } from './arguments.ts';
import { dateTime } from './date-time.ts';
import { type ListMenu, NO_NAMES, type SettingsMenu } from './menu.ts';

const GIB = 1024 ** 3;

/** `/system/resource` of an RDS2216. */
export function resourceMenu(device: Device, dialect: Dialect): SettingsMenu {
  return {
    kind: 'settings',
    path: '/system/resource',
    quoted: NO_NAMES,
    settable: NO_NAMES,
    read: () =>
      new Map<string, Value>([
        ['uptime', new Duration(device.uptimeMs)],
        ['version', dialect.version],
        ['build-time', '2026-09-08 08:00:00'],
        ['factory-software', '7.19'],
        ['free-memory', 28 * GIB],
        ['total-memory', 32 * GIB],
        ['cpu', 'ARM64'],
        ['cpu-count', 16],
        ['cpu-frequency', 2000],
        ['cpu-load', 1],
        ['free-hdd-space', 90 * 1024 ** 2],
        ['total-hdd-space', 128 * 1024 ** 2],
        ['architecture-name', 'arm64'],
        ['board-name', 'RDS2216-2XG-4S+4XS-2XQ'],
        ['platform', 'MikroTik'],
      ]),
  };
}

/** `/system/identity`. */
export function identityMenu(device: Device): SettingsMenu {
  return {
    kind: 'settings',
    path: '/system/identity',
    quoted: NO_NAMES,
    settable: new Set(['name']),
    read: () => new Map([['name', device.identity]]),
    set(values) {
      device.identity = required(values, 'name');
    },
  };
}

/** `/log`, read-only. */
export function logMenu(device: Device): ListMenu {
  return {
    ...READ_ONLY_LIST,
    path: '/log',
    brief: ['time', 'topics', 'message'],
    quoted: new Set(['message']),
    rows: () =>
      device.log.entries.map((entry) => ({
        id: entry.id,
        values: new Map<string, Value>([
          ['time', dateTime(entry.atMs)],
          ['topics', entry.topics],
          ['message', entry.message],
        ]),
      })),
  };
}

/** `/user`, read-only. */
export function userMenu(
  users: () => readonly { readonly name: string; readonly group: string }[],
): ListMenu {
  return {
    ...READ_ONLY_LIST,
    path: '/user',
    brief: ['name', 'group'],
    quoted: new Set(['name']),
    rows: () =>
      users().map(({ name, group }, index) => ({
        id: new ItemId(index + 1),
        name,
        values: new Map<string, Value>([
          ['disabled', false],
          ['name', name],
          ['group', group],
          ['address', ''],
        ]),
      })),
  };
}

/** `/user/group` with the groups from the factory, read-only. */
export function groupMenu(): ListMenu {
  const groups = {
    read: ['local', 'ssh', 'read', 'test'],
    write: ['local', 'ssh', 'read', 'write', 'test'],
    full: ['local', 'ssh', 'read', 'write', 'policy', 'test'],
  };
  return {
    ...READ_ONLY_LIST,
    path: '/user/group',
    flags: [],
    brief: ['name', 'policy'],
    quoted: new Set(['name']),
    rows: () =>
      Object.entries(groups).map(([name, policies], index) => ({
        id: new ItemId(index + 1),
        name,
        values: new Map<string, Value>([
          ['name', name],
          ['policy', policies.join(',')],
        ]),
      })),
  };
}

const READ_ONLY_LIST = {
  kind: 'list',
  ordered: false,
  flags: [{ letter: 'X', name: 'DISABLED', key: 'disabled' }],
  stats: [],
  quoted: NO_NAMES,
  settable: NO_NAMES,
} as const;
