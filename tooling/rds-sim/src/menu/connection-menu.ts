import type { Clock } from '@reattach/core';
import type { Device } from '../device/device.ts';
import type { Dialect } from '../dialect.ts';
import { runtimeError } from '../script/script-error.ts';
import { Duration, type Value } from '../script/value.ts';
import { durationMs, oneOf, yesNo } from './arguments.ts';
import { type ListMenu, NO_NAMES, type SettingsMenu } from './menu.ts';

/** `/ip/firewall/connection`. */
export function connectionMenu(device: Device, clock: Clock): ListMenu {
  return {
    kind: 'list',
    path: '/ip/firewall/connection',
    ordered: false,
    flags: [
      { letter: 'S', name: 'SEEN-REPLY', key: 'seen-reply' },
      { letter: 'A', name: 'ASSURED', key: 'assured' },
      { letter: 'C', name: 'CONFIRMED', key: 'confirmed' },
    ],
    brief: ['protocol', 'src-address', 'src-port', 'dst-address', 'dst-port', 'tcp-state', 'timeout'],
    stats: [],
    quoted: NO_NAMES,
    settable: NO_NAMES,
    rows: () => {
      device.target.expire();
      return device.connections.entries.map((entry) => ({
        id: entry.id,
        values: new Map<string, Value>([
          ['seen-reply', true],
          ['assured', true],
          ['confirmed', true],
          ['protocol', 'tcp'],
          ['src-address', entry.srcAddress],
          ['src-port', entry.srcPort],
          ['dst-address', entry.dstAddress],
          ['dst-port', entry.dstPort],
          ['reply-src-address', entry.dstAddress],
          ['reply-src-port', entry.dstPort],
          ['reply-dst-address', entry.srcAddress],
          ['reply-dst-port', entry.srcPort],
          ['tcp-state', entry.state],
          ['timeout', new Duration(entry.expiresAtMs - clock.now())],
          ['orig-packets', entry.packets],
          ['orig-bytes', entry.bytes],
          ['orig-fasttrack-packets', 0],
          ['orig-fasttrack-bytes', 0],
          ['repl-packets', entry.packets],
          ['repl-bytes', entry.packets * REPLY_BYTES],
          ['repl-fasttrack-packets', 0],
          ['repl-fasttrack-bytes', 0],
          ['orig-rate', 0],
          ['repl-rate', 0],
        ]),
      }));
    },
    remove(id) {
      const entry = device.connections.entries.find((candidate) => candidate.id.number === id.number);
      if (!entry) throw runtimeError('no such item');
      device.connections.remove(entry);
    },
  };
}

/** An NVMe/TCP response with its headers. */
const REPLY_BYTES = 76;

/** `/ip/firewall/connection/tracking`. */
export function trackingMenu(device: Device, dialect: Dialect): SettingsMenu {
  const { connections } = device;
  return {
    kind: 'settings',
    path: '/ip/firewall/connection/tracking',
    quoted: NO_NAMES,
    settable: new Set(['enabled', 'tcp-established-timeout', 'loose-tcp-tracking']),
    read: () =>
      new Map<string, Value>([
        ['enabled', connections.settings.enabled],
        ...(dialect.trackingActive === 'absent'
          ? []
          : [[dialect.trackingActive, connections.active] as const]),
        ['tcp-established-timeout', new Duration(connections.settings.tcpEstablishedTimeoutMs)],
        ['tcp-fin-wait-timeout', new Duration(connections.settings.tcpClosedTimeoutMs)],
        ['tcp-time-wait-timeout', new Duration(connections.settings.tcpClosedTimeoutMs)],
        ['tcp-close-timeout', new Duration(connections.settings.tcpClosedTimeoutMs)],
        ['tcp-max-retrans-timeout', new Duration(connections.settings.tcpUnackedTimeoutMs)],
        ['tcp-unacked-timeout', new Duration(connections.settings.tcpUnackedTimeoutMs)],
        ['loose-tcp-tracking', connections.settings.looseTcpTracking],
        ['max-entries', 1_048_576],
        ['total-entries', connections.entries.length],
        ['total-ip4-entries', connections.entries.length],
        ['total-ip6-entries', 0],
      ]),
    set(values) {
      const { settings } = connections;
      settings.enabled = oneOf(values, 'enabled', ['yes', 'no', 'auto']) ?? settings.enabled;
      settings.tcpEstablishedTimeoutMs =
        durationMs(values, 'tcp-established-timeout') ?? settings.tcpEstablishedTimeoutMs;
      settings.looseTcpTracking = yesNo(values, 'loose-tcp-tracking') ?? settings.looseTcpTracking;
    },
  };
}
