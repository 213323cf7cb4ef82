import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { describe, expect, it } from 'vitest';
import { runDoctor } from '../../src/doctor/run-doctor.ts';
import { cli } from './support/cli-run.ts';
import { Lab } from './support/lab.ts';
import { OtlpReceiver } from './support/otlp-receiver.ts';
import { runWhile } from './support/pace.ts';

const LOST = 'node-a';
const TOKEN = 'token-6e1f0c1d9b';
const PASSPHRASE = 'passphrase-53b0a7c2f4';

/** Keys of log lines above `debug`: a renamed one breaks searches, so operators must know of it. */
const LOG_KEYS = [
  'addresses',
  'attempt',
  'backend',
  'cleanup',
  'code',
  'controller',
  'delayMs',
  'dialect',
  'durationMs',
  'err',
  'evidence',
  'fence',
  'identity',
  'keys',
  'kind',
  'lostForMs',
  'mode',
  'name',
  'namespace',
  'node',
  'nodeUid',
  'operation',
  'persistentVolume',
  'pod',
  'reason',
  'reasons',
  'reconcileID',
  'resource',
  'rule',
  'step',
  'strategy',
  'url',
  'verb',
  'version',
  'volumeAttachment',
  'volumeHandle',
  'why',
  'writeCounters',
];

/** Everything reachable from a value, hidden properties and causes included. */
function everythingIn(value: unknown): string {
  return inspect(value, { depth: null, maxArrayLength: null, maxStringLength: null, showHidden: true });
}

/** Everything in what a bad configuration is refused with. */
function refusalOf(configure: () => unknown): string {
  try {
    return everythingIn(configure());
  } catch (err) {
    return `${String(err)}\n${everythingIn(err)}`;
  }
}

describe('what a controller tells', () => {
  it('holds no key, passphrase or token, whatever goes wrong, and only known log keys', async () => {
    await using receiver = await OtlpReceiver.start();
    await using lab = await Lab.start();
    const { kube, rds } = lab.world;
    const folder = await mkdtemp(join(tmpdir(), 'reattach-secrets-'));
    await using cleanup = new AsyncDisposableStack();
    cleanup.defer(() => rm(folder, { recursive: true }));
    const [kubeconfig, passphrase] = [join(folder, 'kubeconfig'), join(folder, 'passphrase')];
    await writeFile(kubeconfig, kube.kubeconfig().replace('user: {}', `user: { token: ${TOKEN} }`));
    await writeFile(passphrase, PASSPHRASE);
    expect(await readFile(kubeconfig, 'utf8')).toContain(TOKEN);

    const exporter = new InMemorySpanExporter();
    const audit = join(folder, 'audit');
    const flags = {
      kubeconfig,
      'rds-passphrase-file': passphrase,
      'otlp-endpoint': receiver.endpoint,
      'audit-file': audit,
    };
    const controller = await lab.ready(flags, [new SimpleSpanProcessor({ exporter })]);
    kube.faults.add({ watch: true }, { kind: 'status', status: 401, reason: 'Unauthorized' }, 2);
    kube.faults.dropWatches();
    kube.faults.add({ path: /\/events$/ }, { kind: 'status', status: 403, reason: 'Forbidden' }, 2);
    kube.faults.add({ method: 'DELETE' }, { kind: 'hang' }, 2);
    kube.faults.add({ method: 'PATCH' }, { kind: 'malformed' });
    rds.faults.onConnection({ kind: 'auth' });
    rds.faults.onCommand(/print|get/, { kind: 'garbage' });
    rds.faults.onCommand(/address-list\/add/, { kind: 'replace', output: 'failure: not now\r\n' });
    lab.world.node(LOST).kubelet.stop();
    await lab.runFor(1_500);
    rds.faults.dropConnections();
    await lab.failedOver(LOST);
    lab.world.powerOff(LOST);
    lab.world.powerOn(LOST);
    await lab.until('the fence to go', () => rds.device.addressList.entries.length === 0);
    await lab.runFor(1_000);

    const config = lab.configure(flags);
    const examining = runDoctor(config, { clock: lab.clock, signal: new AbortController().signal });
    await runWhile(lab.clock, examining);
    const checks = await examining;
    expect(checks.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['cluster reachable', 'backend reachable']),
    );

    const answers = await Promise.all(
      ['/metrics', '/readyz', '/state', '/history'].map((path) => controller.get(path)),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const [metrics, ready, state, history] = answers.map(({ text }) => text);
    const server = `--server=${controller.controller.address}`;
    const commands = [
      ['status', '--all'],
      ['status', '-o', 'json'],
      ['explain', LOST],
      ['plan'],
      ['history'],
    ];
    const runs = await Promise.all(commands.map((command) => cli([...command, server])));
    expect(runs.map(({ code }) => code)).toEqual(commands.map(() => 0));
    await controller.stop();
    expect(receiver.bodies.length).toBeGreaterThan(1);
    const said: Readonly<Record<string, string>> = {
      doctor: everythingIn(checks),
      commands: everythingIn(runs),
      state: state ?? '',
      history: history ?? '',
      audit: await readFile(audit, 'utf8'),
      otlp: receiver.bodies.join('\n'),
      refusal: refusalOf(() =>
        lab.configure({ ...flags, 'rds-private-key-file': rds.credentials.privateKey }),
      ),
      lines: everythingIn(controller.lines),
      spans: everythingIn(
        exporter
          .getFinishedSpans()
          .map(({ name, attributes, status, events }) => ({ name, attributes, status, events })),
      ),
      metrics: metrics ?? '',
      ready: ready ?? '',
      events: everythingIn(kube.store.list('Event')),
      backendCommands: everythingIn(rds.commands.entries),
    };
    const keyLines = rds.credentials.privateKey
      .split('\n')
      .filter((line) => line.length > 20 && !line.startsWith('---'));
    expect(keyLines.length).toBeGreaterThan(2);
    for (const secret of [TOKEN, PASSPHRASE, ...keyLines]) {
      const leaks = Object.entries(said).filter(([, text]) => text.includes(secret));
      expect(leaks.map(([where]) => where)).toEqual([]);
    }
    expect(said['history']).toContain('pod-deleted');
    expect(said['audit']).toContain('pod-deleted');
    expect(said['refusal']).toContain('rds.privateKeyFile');
    const keys = controller.lines
      .filter(({ level }) => level !== 'debug')
      .flatMap(({ fields }) => Object.keys(fields));
    expect([...new Set(keys)].filter((key) => !LOG_KEYS.includes(key))).toEqual([]);
    expect(said['lines']).toContain('Release failed');
    expect(said['lines']).toContain('Event was not written');
  });
});
