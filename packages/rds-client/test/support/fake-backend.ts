import { FakeClock } from '@reattach/core/testing';
import { createSshMetrics } from '@reattach/ssh-transport';
import { FakeSession } from '@reattach/ssh-transport/testing';
import { RouterOsClient } from '../../src/router-os-client.ts';

/** What each label of a healthy backend prints, unless `rows` says otherwise. */
const ROWS: Readonly<Record<string, unknown>> = {
  resource: { version: '7.24.2 (stable)', uptime: '10d' },
  tracking: { enabled: 'yes', 'tcp-established-timeout': '1d' },
  sessions: [],
  controls: [],
  exports: [{ slot: 'pvc-a', 'nvme-tcp-server-nqn': 'nqn.a', 'nvme-tcp-server-port': 4420 }],
  fences: [],
  raw: [
    {
      chain: 'prerouting',
      action: 'drop',
      protocol: 'tcp',
      'dst-port': '4420',
      'src-address-list': 'reattach-fenced',
      disabled: false,
      invalid: false,
    },
  ],
  stats: [],
  count: { entries: 2 },
  addresses: [{ address: '10.0.0.10/24', disabled: false }],
  settings: { 'ipv4-fasttrack-active': false },
  bridge: { 'use-ip-firewall': true, 'bridge-fast-path-active': false },
  users: [{ name: 'reattach', group: 'reattach' }],
  groups: [{ name: 'reattach', policy: ['ssh', 'read', 'write', 'test'] }],
};

/** A client and a session to a backend that prints `rows` by label; a function is called for each command. One record per menu. */
export function fakeBackend(rows: Readonly<Record<string, unknown>> = {}): {
  readonly client: RouterOsClient;
  readonly session: FakeSession;
} {
  const clock = new FakeClock();
  const session = new FakeSession(clock);
  const all = { ...ROWS, ...rows };
  session.answer = (command) => {
    const asked = [...command.matchAll(/:put \("([a-z]+)([=|])/g)];
    const end = /:put "(END-[0-9a-f]{16})"$/.exec(command)?.[1] ?? '';
    const text = asked
      .map(([, label = '', dialect]) => {
        const entry = all[label];
        const value: unknown = typeof entry === 'function' ? entry() : entry;
        const printed = dialect === '|' ? Object.values(Object(value)).join('|') : JSON.stringify(value);
        return `${label}${dialect}${printed}\r\n`;
      })
      .join('');
    return text.includes('failure:') ? text : `${text}${end}\r\n`;
  };
  const metrics = createSshMetrics('rds-1');
  return { client: new RouterOsClient({ name: 'rds-1', host: 'h', port: 22, clock, metrics }), session };
}
