import type { Clock } from '@reattach/core';
import type { Device } from '../device/device.ts';
import type { Dialect } from '../dialect.ts';
import { runtimeError } from '../script/script-error.ts';
import { Duration, type Value } from '../script/value.ts';
import type { TrackedConnection } from '../tracking/tracked-connection.ts';
import { durationMs, oneOf, yesNo } from './arguments.ts';
import { type ListMenu, NO_NAMES, type Row, type SettingsMenu } from './menu.ts';

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
      { letter: 'F', name: 'FASTTRACK', key: 'fasttrack' },
      { letter: 'H', name: 'HW-OFFLOAD', key: 'hw-offload' },
    ],
    brief: ['protocol', 'src-address', 'src-port', 'dst-address', 'dst-port', 'tcp-state', 'timeout'],
    stats: [],
    quoted: NO_NAMES,
    settable: NO_NAMES,
    rows: () => device.connections.entries.map((entry) => connectionRow(device, clock, entry)),
    remove(id) {
      const entry = device.connections.entries.find((candidate) => candidate.id.number === id.number);
      if (!entry) throw runtimeError('no such item');
      device.connections.remove(entry);
    },
  };
}

function connectionRow(device: Device, clock: Clock, entry: TrackedConnection): Row {
  return {
    id: entry.id,
    values: new Map<string, Value>([
      ['seen-reply', entry.hasSeenReply],
      ['assured', entry.isAssured],
      ['confirmed', true],
      ['fasttrack', device.offload === 'fasttrack' || device.offload === 'hw-offload'],
      ['hw-offload', device.offload === 'hw-offload'],
      ['protocol', 'tcp'],
      ['src-address', entry.srcAddress],
      ['src-port', entry.srcPort],
      ['dst-address', entry.dstAddress],
      ['dst-port', entry.dstPort],
      ['reply-src-address', entry.dstAddress],
      ['reply-src-port', entry.dstPort],
      ['reply-dst-address', entry.srcAddress],
      ['reply-dst-port', entry.srcPort],
      ['tcp-state', entry.tcpState],
      ['timeout', new Duration(entry.expiresAtMs - clock.now())],
      ['orig-packets', entry.originalPackets],
      ['orig-bytes', entry.originalBytes],
      ['orig-fasttrack-packets', 0],
      ['orig-fasttrack-bytes', 0],
      ['repl-packets', entry.replyPackets],
      ['repl-bytes', entry.replyBytes],
      ['repl-fasttrack-packets', 0],
      ['repl-fasttrack-bytes', 0],
      ['orig-rate', 0],
      ['repl-rate', 0],
    ]),
  };
}

/** `/ip/firewall/connection/tracking`. */
export function trackingMenu(device: Device, dialect: Dialect): SettingsMenu {
  const { connections } = device;
  return {
    kind: 'settings',
    path: '/ip/firewall/connection/tracking',
    quoted: NO_NAMES,
    settable: new Set(['enabled', 'loose-tcp-tracking', ...Object.keys(TIMEOUTS)]),
    read: () => {
      const settings = connections.settings.current;
      const total = connections.entries.length;
      return new Map<string, Value>([
        ['enabled', settings.enabled],
        ...(dialect.trackingActive === 'absent'
          ? []
          : [[dialect.trackingActive, connections.active] as const]),
        ...Object.entries(TIMEOUTS).map(([name, key]) => [name, new Duration(settings[key])] as const),
        ['loose-tcp-tracking', settings.looseTcpTracking],
        ['max-entries', 1_048_576],
        ['total-entries', total],
        ['total-ip4-entries', total],
        ['total-ip6-entries', 0],
      ]);
    },
    set(values) {
      const enabled = oneOf(values, 'enabled', ['yes', 'no', 'auto']);
      const looseTcpTracking = yesNo(values, 'loose-tcp-tracking');
      connections.settings.change({
        ...(enabled !== undefined && { enabled }),
        ...(looseTcpTracking !== undefined && { looseTcpTracking }),
        ...Object.fromEntries(
          Object.entries(TIMEOUTS).flatMap(([name, key]) => {
            const ms = durationMs(values, name);
            return ms === undefined ? [] : [[key, ms]];
          }),
        ),
      });
    },
  };
}

/** The model has one time-out for all closing states, and one for both beginnings. */
const TIMEOUTS = {
  'tcp-syn-sent-timeout': 'tcpSynTimeoutMs',
  'tcp-syn-received-timeout': 'tcpSynTimeoutMs',
  'tcp-established-timeout': 'tcpEstablishedTimeoutMs',
  'tcp-fin-wait-timeout': 'tcpClosedTimeoutMs',
  'tcp-close-wait-timeout': 'tcpClosedTimeoutMs',
  'tcp-last-ack-timeout': 'tcpClosedTimeoutMs',
  'tcp-time-wait-timeout': 'tcpClosedTimeoutMs',
  'tcp-close-timeout': 'tcpClosedTimeoutMs',
  'tcp-max-retrans-timeout': 'tcpUnackedTimeoutMs',
  'tcp-unacked-timeout': 'tcpUnackedTimeoutMs',
} as const;
