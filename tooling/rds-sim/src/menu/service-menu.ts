import type { Device } from '../device/device.ts';
import { ItemId, type Value } from '../script/value.ts';
import { type ListMenu, NO_NAMES, type Row } from './menu.ts';

export interface SshService {
  readonly port: number;
  readonly maxSessions: number;
  /** Remote ends of the open connections, `127.0.0.1:51515`. */
  readonly remotes: readonly string[];
}

/** `/ip/service`, read-only: the service, and its connections as dynamic rows. */
export function serviceMenu(device: Device, ssh: () => SshService): ListMenu {
  return {
    kind: 'list',
    path: '/ip/service',
    ordered: false,
    flags: [
      { letter: 'X', name: 'DISABLED', key: 'disabled' },
      { letter: 'D', name: 'DYNAMIC', key: 'dynamic' },
      { letter: 'c', name: 'CONNECTION', key: 'connection' },
    ],
    brief: ['name', 'port', 'proto', 'address', 'max-sessions', 'local', 'remote'],
    stats: [],
    quoted: NO_NAMES,
    settable: NO_NAMES,
    rows: () => {
      const { port, maxSessions, remotes } = ssh();
      const connections = [
        ...remotes.map((remote) => ({ name: 'ssh', port, remote })),
        ...(device.servicesListExportSockets ? exportConnections(device) : []),
      ];
      return [
        serviceRow(1, { name: 'ssh', port, dynamic: false, extra: [['max-sessions', maxSessions]] }),
        ...connections.map(({ name, port: localPort, remote }, index) =>
          serviceRow(index + 2, {
            name,
            port: localPort,
            dynamic: true,
            extra: [
              ['local', device.address],
              ['remote', remote],
            ],
          }),
        ),
      ];
    },
  };
}

/** Connections to exports. Whether a real device lists them is unknown. */
function exportConnections(
  device: Device,
): readonly { readonly name: string; readonly port: number; readonly remote: string }[] {
  return device.target.sockets.map(({ flow }) => ({
    name: 'nvme-tcp',
    port: flow.targetPort,
    remote: `${flow.hostAddress}:${flow.hostPort}`,
  }));
}

function serviceRow(
  id: number,
  service: {
    readonly name: string;
    readonly port: number;
    readonly dynamic: boolean;
    readonly extra: readonly (readonly [string, Value])[];
  },
): Row {
  const { name, port, dynamic, extra } = service;
  return {
    id: new ItemId(id),
    ...(!dynamic && { name }),
    values: new Map<string, Value>([
      ['disabled', false],
      ['dynamic', dynamic],
      ['connection', dynamic],
      ['name', name],
      ['port', port],
      ['proto', 'tcp'],
      ['address', ''],
      ...extra,
    ]),
  };
}
