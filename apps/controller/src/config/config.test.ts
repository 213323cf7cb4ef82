import { describe, expect, it } from 'vitest';
import { type Config, type ConfigSources, parseConfig } from './config.ts';
import { ConfigError } from './config-error.ts';
import { refuseExposed } from './exposed-file-error.ts';

const FINGERPRINT = 'SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU';
const FILES: Record<string, string> = {
  '/etc/key': '-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\n',
  '/etc/passphrase': 'open sesame\n',
  '/etc/host-key': `${FINGERPRINT}\n`,
  '/etc/empty': '\n',
};
/** Defaults of the backend. */
const TIMES = { activityWindowMs: 15_000, idlePollMs: 4_000, maxQuiesceMs: 300_000, writesStillMs: 2_000 };
const REQUIRED = ['--rds-address=backend', '--rds-user=reattach', '--rds-private-key-file=/etc/key'];
const COMPLETE = [...REQUIRED, `--rds-host-key=${FINGERPRINT}`];

function parse(
  argv: readonly string[],
  env: ConfigSources['env'] = {},
  files: Readonly<Record<string, string>> = {},
): Config {
  return parseConfig({
    argv,
    env,
    readFile(path) {
      const content = { ...FILES, ...files }[path];
      if (content === undefined) throw Object.assign(new Error(`no such file ${path}`), { code: 'ENOENT' });
      return content;
    },
  });
}

function refusal(...input: Parameters<typeof parse>): ConfigError {
  try {
    parse(...input);
  } catch (err) {
    if (err instanceof ConfigError) return err;
    throw err;
  }
  throw new Error('The configuration was accepted');
}

/** A file that lists backends. */
function fileWith(backends: string) {
  return { '/etc/file': `rds: { user: reattach, privateKeyFile: /etc/key }\nbackends:\n${backends}` };
}

describe('parseConfig', () => {
  it('fills in the defaults', () => {
    const { backends, ...rest } = parse(COMPLETE);
    expect(backends).toEqual([
      {
        kind: 'rds',
        name: 'backend',
        settings: {
          address: { host: 'backend', port: 22 },
          user: 'reattach',
          privateKeyFile: FILES['/etc/key'],
          hostKey: FINGERPRINT,
          ...TIMES,
        },
      },
    ]);
    expect(rest).toEqual({
      kubeconfigPaths: [],
      policy: {
        attacher: 'rds.csi.srvlab.io',
        mode: 'observe',
        strategy: 'auto',
        otherDrivers: 'release-ours',
        gracePeriodMs: 30_000,
        silentGraceMs: 10_000,
        maxCacheAgeMs: 120_000,
        suspectPollMs: 2_000,
        detachTimeoutMs: 60_000,
        breaker: { maxNodes: 1, maxFraction: 0.49, maxNodesPerWindow: 3, windowMs: 600_000 },
        fence: { pollMs: 10_000, neverFence: {} },
        addresses: { allowedCidrs: [], reserved: [] },
        earlyDetection: { enabled: false, leaseStaleMs: 20_000 },
      },
      http: { host: '127.0.0.1', port: 9808 },
      log: { level: 'info', format: 'json' },
      reconcileIntervalMs: 300_000,
      leaderElection: {
        leaseName: 'reattach',
        leaseDurationMs: 15_000,
        renewDeadlineMs: 10_000,
        retryPeriodMs: 2_000,
      },
      stateAccess: 'local',
      page: { runbookUrl: 'https://github.com/reattach-project/reattach/blob/main/docs/runbook.md' },
      shutdownGraceMs: 20_000,
      events: true,
      unsafeKeys: [],
    });
  });

  it('prefers flags to the environment and the environment to the file', () => {
    const env = {
      REATTACH_CONFIG: '/etc/file',
      REATTACH_ATTACHER: 'from.env',
      REATTACH_GRACE_PERIOD_MS: '41000',
    };
    const files = {
      '/etc/file': 'attacher: from.file\ngracePeriodMs: 42000\nsilentGraceMs: 12000\nevents: false\n',
    };
    const config = parse([...COMPLETE, '--attacher', 'from.flag'], env, files);
    expect(config).toMatchObject({
      policy: { attacher: 'from.flag', gracePeriodMs: 41_000, silentGraceMs: 12_000 },
      events: false,
    });
  });

  it('reads a whole configuration from a nested file', () => {
    const file = [
      'mode: fence',
      'rds: { address: "[fd00::2]:2222", user: reattach, privateKeyFile: /etc/key, passphraseFile: /etc/passphrase, hostKeyFile: /etc/host-key }',
      'breaker:',
      '  maxNodes: 2',
      'http: { listen: "[::]:9808" }',
      'otlp: { endpoint: "http://collector:4318/" }',
    ].join('\n');
    expect(parse(['--config', '/etc/file'], {}, { '/etc/file': file })).toMatchObject({
      policy: { mode: 'fence', breaker: { maxNodes: 2, windowMs: 600_000 } },
      backends: [
        {
          name: 'fd00::2',
          settings: {
            address: { host: 'fd00::2', port: 2222 },
            passphraseFile: 'open sesame\n',
            hostKey: FINGERPRINT,
          },
        },
      ],
      http: { host: '::', port: 9808 },
      otlpEndpoint: 'http://collector:4318',
    });
  });

  it('takes the last of a repeated flag and a boolean flag alone or with a value', () => {
    const config = parse([...COMPLETE, '--mode=fence', '--mode', 'observe', '--events=false']);
    expect(config).toMatchObject({ policy: { mode: 'observe' }, events: false });
    expect(parse([...COMPLETE, '--events']).events).toBe(true);
  });

  it('uses KUBECONFIG when no option of its own names a kubeconfig', () => {
    const env = { KUBECONFIG: '/home/op/.kube/config' };
    expect(parse(COMPLETE, env).kubeconfigPaths).toEqual(['/home/op/.kube/config']);
    expect(parse([...COMPLETE, '--kubeconfig=/etc/kubeconfig'], env).kubeconfigPaths).toEqual([
      '/etc/kubeconfig',
    ]);
    expect(parse(COMPLETE, { KUBECONFIG: '/a::/b' }).kubeconfigPaths).toEqual(['/a', '/b']);
  });

  it('ignores the variables Kubernetes makes of a Service named reattach', () => {
    const env = {
      REATTACH_SERVICE_HOST: '10.0.0.1',
      REATTACH_SERVICE_PORT: '9808',
      REATTACH_METRICS_SERVICE_PORT_HTTP: '9808',
      REATTACH_PORT: 'tcp://10.0.0.1:9808',
      REATTACH_PORT_9808_TCP_ADDR: '10.0.0.1',
    };
    expect(() => parse(COMPLETE, env)).not.toThrow();
  });

  it('lists all problems of all sources at once', () => {
    const { problems, message } = refusal(
      ['--mode=maybe', '--no-such-flag', '--rds-user', '--config=/etc/file', 'stray'],
      { REATTACH_LOG_LEVEL: 'loud', REATTACH_LOGLEVEL: 'info' },
      { '/etc/file': 'breaker: { maxNodes: 0, maxNode: 1 }\nattachr: x\nevents: [1]\n' },
    );
    expect(message.split('\n')).toEqual([
      'Configuration was refused:',
      '  --no-such-flag: expected a known flag (see --help)',
      '  rds.user (--rds-user): expected a value: text that is not empty',
      '  stray: expected flags only',
      '  REATTACH_LOGLEVEL: expected a known environment variable (see --help); did you mean REATTACH_LOG_LEVEL?',
      '  breaker.maxNode (/etc/file:1): expected a known key (see --help); did you mean breaker.maxNodes?',
      '  attachr (/etc/file:2): expected a known key (see --help); did you mean attacher?',
      '  events (/etc/file:3): expected true or false',
      '  mode (--mode): got "maybe", expected observe or fence',
      '  log.level (REATTACH_LOG_LEVEL): got "loud", expected debug or info or warn or error',
      '  breaker.maxNodes (/etc/file:1): got "0", expected a whole number, at least 1',
      '  rds.address: expected host, host:port or [IPv6]:port (port 1 to 65535, default 22), set by --rds-address, REATTACH_RDS_ADDRESS or the file',
      '  rds.user: expected text that is not empty, set by --rds-user, REATTACH_RDS_USER or the file',
      '  rds.privateKeyFile: expected the path of a file, set by --rds-private-key-file, REATTACH_RDS_PRIVATE_KEY_FILE or the file',
      '  rds.hostKey or rds.hostKeyFile: expected text that is not empty, set by --rds-host-key, REATTACH_RDS_HOST_KEY, --rds-host-key-file, REATTACH_RDS_HOST_KEY_FILE or the file',
    ]);
    expect(problems).toHaveLength(14);
  });

  it('holds for the sake of other drivers by default only where the whole node would be touched', () => {
    expect(parse([...COMPLETE, '--strategy=out-of-service']).policy.otherDrivers).toBe('hold');
    const allowed = parse([...COMPLETE, '--strategy=out-of-service', '--other-drivers=release-ours']);
    expect(allowed.policy.otherDrivers).toBe('release-ours');
  });

  it('reads lists of addresses and labels', () => {
    const config = parse([
      ...COMPLETE,
      '--rds-storage-addresses=10.9.0.1, fd00::1',
      '--fence-never-fence=example.org/boots-from=backend,zone=a',
    ]);
    expect(config.backends[0]?.settings['storageAddresses']).toEqual(['10.9.0.1', 'fd00::1']);
    expect(config.policy.fence.neverFence).toEqual({ 'example.org/boots-from': 'backend', zone: 'a' });
  });

  describe('backends', () => {
    const TWO = [
      '  - { name: east, address: 10.0.0.1, hostKey: "SHA256:east", storageAddresses: "10.9.0.1" }',
      '  - { address: "10.0.0.2:2222", user: other, hostKeyFile: /etc/host-key }',
    ].join('\n');

    it('are read from the file, each with the rds options where it says nothing itself', () => {
      const { backends } = parse(['--config=/etc/file'], {}, fileWith(TWO));
      const privateKeyFile = FILES['/etc/key'];
      expect(backends).toEqual([
        {
          kind: 'rds',
          name: 'east',
          settings: {
            address: { host: '10.0.0.1', port: 22 },
            user: 'reattach',
            privateKeyFile,
            hostKey: 'SHA256:east',
            ...TIMES,
            storageAddresses: ['10.9.0.1'],
          },
        },
        {
          kind: 'rds',
          name: '10.0.0.2',
          settings: {
            address: { host: '10.0.0.2', port: 2222 },
            user: 'other',
            privateKeyFile,
            hostKey: FINGERPRINT,
            ...TIMES,
          },
        },
      ]);
    });

    it.each([
      ['  - { address: a, hostKey: k, hostkey: k }', 'rds.hostkey (/etc/file:3): expected a known key'],
      ['  - { hostKey: k }', 'rds.address (/etc/file:3): expected'],
      ['  - { address: a }', 'rds.hostKey or rds.hostKeyFile (/etc/file:3): expected'],
      ['  - { kind: zfs, address: a, hostKey: k }', 'backends.kind (/etc/file:3): expected rds'],
      [
        '  - { address: a, hostKey: k }\n  - { address: a, hostKey: k }',
        'backends: got "a", expected a name of its own',
      ],
      ['  - { address: "a:0", hostKey: k }', 'rds.address (/etc/file:3): got "a:0"'],
      ['  - text', 'backends (/etc/file:2): expected a list of backends'],
      ['  []', 'backends (/etc/file:2): expected a list of backends'],
      ['  - { name: 3, address: a, hostKey: k }', 'backends.name (/etc/file:3)'],
    ])('refuses %j', (backends, problem) => {
      expect(refusal(['--config=/etc/file'], {}, fileWith(backends)).message).toContain(problem);
    });

    it('are refused beside the address of a single backend', () => {
      expect(refusal(['--config=/etc/file', '--rds-address=b'], {}, fileWith(TWO)).message).toContain(
        'rds.address (--rds-address): got "b", expected no address of a single backend where the file lists backends',
      );
    });
  });

  it('has no leader election when that is switched off', () => {
    expect(parse([...COMPLETE, '--leader-election-enabled=false']).leaderElection).toBeUndefined();
  });

  it.each([
    ['mode', 'Fence'],
    ['rds-address', 'backend:0'],
    ['rds-address', 'backend:70000'],
    ['rds-address', 'ssh://backend'],
    ['http-listen', '9808'],
    ['grace-period-ms', '30 s'],
    ['grace-period-ms', '30x'],
    ['grace-period-ms', 's'],
    ['grace-period-ms', '-1'],
    ['grace-period-ms', '30000.5'],
    ['grace-period-ms', '1e5'],
    ['breaker-max-fraction', '0'],
    ['breaker-max-fraction', '1.5'],
    ['events', 'yes'],
    ['attacher', ' '],
    ['otlp-endpoint', 'collector:4318'],
    ['strategy', 'force'],
    ['other-drivers', 'ignore'],
    ['rds-storage-addresses', '10.9.0.1;'],
    ['storage-allowed-cidrs', '10.0.0.0'],
    ['storage-allowed-cidrs', '10.0.0.0/33'],
    ['fence-never-fence', 'boots-from-backend'],
  ])('refuses --%s=%s', (name, value) => {
    const { problems } = refusal([...REQUIRED, '--rds-host-key-file=/etc/host-key', `--${name}=${value}`]);
    expect(problems.map(({ source }) => source)).toContain(`--${name}`);
  });

  it('refuses a bad value even where a better source wins', () => {
    const { problems } = refusal([...COMPLETE, '--events=true'], { REATTACH_EVENTS: 'oui' });
    expect(problems).toEqual([
      { key: 'events', source: 'REATTACH_EVENTS', value: '"oui"', expected: 'true or false' },
    ]);
  });

  it('wants the host key exactly once', () => {
    expect(refusal(REQUIRED).message).toContain('rds.hostKey or rds.hostKeyFile: expected');
    expect(refusal([...COMPLETE, '--rds-host-key-file=/etc/host-key']).message).toContain('not both');
  });

  it.each([
    ['/etc/missing', 'a file that can be read (ENOENT)'],
    ['/etc/empty', 'a file that is not empty'],
  ])('refuses a private key in %s', (path, expected) => {
    const { problems } = refusal([...COMPLETE, `--rds-private-key-file=${path}`]);
    expect(problems).toEqual([
      { key: 'rds.privateKeyFile', source: '--rds-private-key-file', value: `"${path}"`, expected },
    ]);
  });

  it('refuses a private key that every user can read, and names the fix', () => {
    const asked: (string | undefined)[] = [];
    const argv = [...REQUIRED, '--rds-host-key-file=/etc/host-key'];
    const readFile = (path: string, ownerOnly = false) => {
      asked.push(ownerOnly ? path : undefined);
      if (ownerOnly) refuseExposed(path, 0o100644);
      return FILES['/etc/host-key'] ?? '';
    };
    expect(() => parseConfig({ argv, env: {}, readFile })).toThrow(
      /rds\.privateKeyFile.*expected a file that only its owner and group can read \(its mode is 0644; run: chmod 600 \/etc\/key/,
    );
    expect(asked.filter(Boolean)).toEqual(['/etc/key']);
    expect(() => refuseExposed('/etc/key', 0o100440)).not.toThrow();
  });

  it.each([
    ['a: [1', '/etc/file:1', 'YAML ('],
    ['- 1', '/etc/file', 'a YAML map of options'],
    ['events: true\nmode: ]', '/etc/file:2', 'YAML'],
  ])('refuses the file %j', (content, source, expected) => {
    const { problems } = refusal([...COMPLETE, '--config=/etc/file'], {}, { '/etc/file': content });
    expect(problems).toMatchObject([{ key: 'config', source }]);
    expect(problems[0]?.expected).toContain(expected);
  });

  it('refuses a key that is given twice in a file', () => {
    const { problems } = refusal(
      [...COMPLETE, '--config=/etc/file'],
      {},
      { '/etc/file': 'mode: fence\nmode: observe' },
    );
    expect(problems).toEqual([{ key: 'mode', source: '/etc/file:2', expected: 'each key once in a map' }]);
  });

  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['1.5s', 1_500],
    ['2m', 120_000],
    ['1h30m', 5_400_000],
    ['30000', 30_000],
  ])('reads the duration %s', (text, ms) => {
    expect(parse([...COMPLETE, `--detach-timeout-ms=${text}`]).policy.detachTimeoutMs).toBe(ms);
    const file = { '/etc/file': `detachTimeoutMs: ${text}` };
    expect(parse([...COMPLETE, '--config=/etc/file'], {}, file).policy.detachTimeoutMs).toBe(ms);
  });

  it('accepts an empty file', () => {
    expect(() => parse([...COMPLETE, '--config=/etc/file'], {}, { '/etc/file': '# nothing' })).not.toThrow();
  });

  it.each([
    ['rds-activity-window-ms', '10000', 'more than two'],
    ['grace-period-ms', '9999', 'at least 10s'],
    ['silent-grace-ms', '9999', 'at least 10s'],
    ['max-cache-age-ms', '69999', 'bookmark'],
    ['max-cache-age-ms', '300001', '70s to 5m'],
    ['breaker-window-ms', '59999', 'at least 1m'],
  ])('refuses --%s=%s, which is not safe', (name, value, expected) => {
    const { problems } = refusal([...COMPLETE, `--${name}=${value}`]);
    expect(problems[0]).toMatchObject({ source: `--${name}`, value: `"${value}"` });
    expect(problems[0]?.expected).toContain(expected);
  });

  it('lets unsafe.compressedTimes lift the safe ranges, and names the keys it lifted', () => {
    const config = parse([
      ...COMPLETE,
      '--unsafe-compressed-times',
      '--rds-activity-window-ms=2500',
      '--rds-idle-poll-ms=200',
    ]);
    expect(config.backends[0]?.settings).toMatchObject({ activityWindowMs: 2_500, idlePollMs: 200 });
    expect(config.unsafeKeys).toEqual(['rds.activityWindowMs', 'rds.idlePollMs']);
  });

  it('refuses a silence longer than the grace period it shortens', () => {
    expect(refusal([...COMPLETE, '--silent-grace-ms=31000']).message).toContain(
      'silentGraceMs (--silent-grace-ms): got "31000", expected at most gracePeriodMs (30s)',
    );
  });

  it.each([
    ['lease-duration-ms', ['--leader-election-lease-duration-ms=15500']],
    ['lease-duration-ms', ['--unsafe-compressed-times', '--leader-election-lease-duration-ms=14000']],
    ['retry-period-ms', ['--leader-election-retry-period-ms=5000']],
  ])('refuses a --leader-election-%s that would not keep two leaders apart: %j', (name, flags) => {
    const { problems } = refusal([...COMPLETE, ...flags]);
    expect(problems.map(({ source }) => source)).toEqual([`--leader-election-${name}`]);
  });

  it('never prints a secret', () => {
    const key = FILES['/etc/key'] ?? '';
    const { message } = refusal(
      [`--rds-private-key-file=${key}`, '--rds-password=hunter2', '--config=/etc/file'],
      { REATTACH_RDS_PASSPHRASE: 'hunter2', REATTACH_OTLP_ENDPOINT: 'http://me:hunter2@collector' },
      { '/etc/file': 'rds: { password: hunter2 }\ntoken: hunter2\n' },
    );
    expect(message).not.toContain('hunter2');
    expect(message).not.toContain('abc');
    const { message: malformed } = refusal(
      COMPLETE.concat('--config=/etc/file'),
      {},
      { '/etc/file': 'a: "hunter2' },
    );
    expect(malformed).not.toContain('hunter2');
  });
});
