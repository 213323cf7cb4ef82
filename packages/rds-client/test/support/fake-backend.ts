import { FakeClock } from '@reattach/core/testing';
import { RouterOsClient } from '../../src/router-os-client.ts';
import { createRdsMetrics } from '../../src/telemetry/instruments.ts';
import { FakeSession } from './fake-session.ts';

/** What each label of a healthy backend prints, unless told otherwise. */
const ROWS: Readonly<Record<string, unknown>> = {
  resource: { version: '7.24.2 (stable)', uptime: '10d' },
  tracking: { enabled: 'yes', 'tcp-established-timeout': '1d' },
  sessions: [],
  exports: [{ slot: 'pvc-a', 'nvme-tcp-server-nqn': 'nqn.a', 'nvme-tcp-server-port': 4420 }],
  fences: [],
  raw: [],
  stats: [],
};

/** A client and a session to a backend that prints `rows` by label; a function is asked anew each time. Records: one a menu. */
export function fakeBackend(rows: Readonly<Record<string, unknown>> = {}): {
  readonly client: RouterOsClient;
  readonly session: FakeSession;
} {
  const clock = new FakeClock();
  const session = new FakeSession(clock);
  const all = { ...ROWS, ...rows };
  session.answer = (command) => {
    const asked = [...command.matchAll(/:put \("([a-z]+)([=|])/g)];
    return asked
      .map(([, label = '', dialect]) => {
        const entry = all[label];
        const value: unknown = typeof entry === 'function' ? entry() : entry;
        const printed = dialect === '|' ? Object.values(Object(value)).join('|') : JSON.stringify(value);
        return `${label}${dialect}${printed}\r\n`;
      })
      .join('');
  };
  const metrics = createRdsMetrics('rds-1');
  return { client: new RouterOsClient({ name: 'rds-1', host: 'h', port: 22, clock, metrics }), session };
}
