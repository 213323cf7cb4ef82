import type { Device } from '../device/device.ts';
import { INTERFACE } from '../device/firewall-rules.ts';
import { ItemId, type Value } from '../script/value.ts';
import { yesNo } from './arguments.ts';
import { type ListMenu, NO_NAMES, type SettingsMenu } from './menu.ts';

/** The bridge that carries the storage interface when packets are bridged past the firewall. */
const BRIDGE = 'bridge-storage';

/** `/ip/settings`: whether FastPath and FastTrack take packets past the firewall. */
export function ipSettingsMenu(device: Device): SettingsMenu {
  const isFasttracked = (): boolean => device.offload === 'fasttrack' || device.offload === 'hw-offload';
  return {
    kind: 'settings',
    path: '/ip/settings',
    quoted: NO_NAMES,
    settable: new Set(['allow-fast-path']),
    read: () =>
      new Map<string, Value>([
        ['ip-forward', true],
        ['send-redirects', true],
        ['rp-filter', 'no'],
        ['tcp-syncookies', false],
        ['arp-timeout', '30s'],
        ['allow-fast-path', true],
        ['ipv4-fast-path-active', false],
        ['ipv4-fast-path-packets', 0],
        ['ipv4-fast-path-bytes', 0],
        ['ipv4-fasttrack-active', isFasttracked()],
        ['ipv4-fasttrack-packets', 0],
        ['ipv4-fasttrack-bytes', 0],
      ]),
    set(values) {
      if (yesNo(values, 'allow-fast-path') === false && isFasttracked()) device.offload = 'none';
    },
  };
}

/** `/interface/bridge`: empty unless packets are bridged past the firewall. */
export function bridgeMenu(device: Device): ListMenu {
  return {
    ...LIST,
    path: '/interface/bridge',
    flags: [
      { letter: 'X', name: 'DISABLED', key: 'disabled' },
      { letter: 'R', name: 'RUNNING', key: 'running' },
    ],
    brief: ['name', 'mtu', 'fast-forward'],
    rows: () =>
      whenBridged(device, [
        ['disabled', false],
        ['running', true],
        ['name', BRIDGE],
        ['mtu', 'auto'],
        ['fast-forward', true],
      ]),
  };
}

/** `/interface/bridge/port`. */
export function bridgePortMenu(device: Device): ListMenu {
  return {
    ...LIST,
    path: '/interface/bridge/port',
    flags: [
      { letter: 'X', name: 'DISABLED', key: 'disabled' },
      { letter: 'H', name: 'HW-OFFLOAD', key: 'hw-offload' },
    ],
    brief: ['interface', 'bridge', 'hw'],
    rows: () =>
      whenBridged(device, [
        ['disabled', false],
        ['hw-offload', true],
        ['interface', INTERFACE],
        ['bridge', BRIDGE],
        ['hw', true],
      ]),
  };
}

/** `/interface/bridge/settings`: `use-ip-firewall=yes` sends bridged packets through the firewall. */
export function bridgeSettingsMenu(device: Device): SettingsMenu {
  return {
    kind: 'settings',
    path: '/interface/bridge/settings',
    quoted: NO_NAMES,
    settable: new Set(['use-ip-firewall', 'allow-fast-path']),
    read: () =>
      new Map<string, Value>([
        ['use-ip-firewall', false],
        ['use-ip-firewall-for-vlan', false],
        ['allow-fast-path', true],
        ['bridge-fast-path-active', device.offload === 'bridge'],
      ]),
    set(values) {
      if (yesNo(values, 'use-ip-firewall') && device.offload === 'bridge') device.offload = 'none';
    },
  };
}

function whenBridged(
  device: Device,
  values: readonly (readonly [string, Value])[],
): ReturnType<ListMenu['rows']> {
  return device.offload === 'bridge' ? [{ id: new ItemId(1), values: new Map(values) }] : [];
}

const LIST = {
  kind: 'list',
  ordered: false,
  stats: [],
  quoted: NO_NAMES,
  settable: NO_NAMES,
} as const;
