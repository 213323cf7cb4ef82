import type { BackendCheck, BackendDescriptor, BackendPorts, BackendSettings } from '@reattach/core';
import {
  BackendError,
  ConnectionManager,
  connectionFix,
  createSshDial,
  createSshMetrics,
  type Dial,
  parseHostKeyPin,
  SshBackend,
} from '@reattach/ssh-transport';
import { canonicalIp } from '@reattach/tcp-evidence';
import { targetChecks } from './checks.ts';
import { LinuxTargetDriver } from './linux-target-driver.ts';
import { TargetClient } from './target-client.ts';
import { DEMOCRATIC_CSI } from './volume-names.ts';

/** A Linux NVMe/TCP target as a backend. */
export type LinuxTargetBackend = SshBackend<LinuxTargetDriver>;

/** Settings of one target, read and checked. Times in ms. */
export interface LinuxTargetSettings {
  readonly host: string;
  readonly port: number;
  readonly storageAddresses: readonly string[];
  readonly ports: readonly number[];
  readonly addressAttributes: readonly string[];
  readonly nqnTemplate: string;
  readonly nsidTemplate: string;
  readonly activityWindowMs: number;
  readonly idlePollMs: number;
  readonly writesStillMs: number;
}

/** Binds connection, client and driver of one target to a way of dialling it. */
export function assembleLinuxTarget(
  name: string,
  settings: LinuxTargetSettings,
  dial: Dial,
  { clock, logger, history, random = Math.random }: BackendPorts,
): LinuxTargetBackend {
  const { host, port, storageAddresses, ports, addressAttributes, nqnTemplate, nsidTemplate } = settings;
  const { activityWindowMs, idlePollMs, writesStillMs } = settings;
  const metrics = createSshMetrics(name);
  const driver = new LinuxTargetDriver({
    name,
    client: new TargetClient({ name, host, port, clock, metrics }),
    clock,
    storageAddresses: new Set(
      storageAddresses.map((address) => canonicalIp(address) ?? address.toLowerCase()),
    ),
    ports,
    naming: { addressAttributes, nqnTemplate, nsidTemplate },
    activityWindowMs,
    writesStillMs,
  });
  const connection = new ConnectionManager({ name, dial, clock, random, logger, metrics });
  return new SshBackend({ name, driver, connection, clock, logger, idlePollMs, metrics, history });
}

/** @see BackendDescriptor.create */
function create(name: string, settings: BackendSettings, ports: BackendPorts): LinuxTargetBackend {
  const address = settings['address'] as { readonly host: string; readonly port: number };
  const text = (key: string) => {
    const value = settings[key];
    return typeof value === 'string' ? value : '';
  };
  const list = (key: string) => (settings[key] ?? []) as readonly string[];
  const number = (key: string) => Number(settings[key]);
  const exportPorts = text('ports').split(',').filter(Boolean).map(Number);
  const wrong = exportPorts.find((port) => !Number.isInteger(port) || port < 1 || port > 65_535);
  if (wrong !== undefined) {
    throw new BackendError(
      'BAD_CONFIG',
      'not-applied',
      `ports: got "${text('ports')}", expected numbers from 1 to 65535 with commas`,
    );
  }
  const hostKey = text('hostKey') || text('hostKeyFile');
  if (hostKey === '') {
    throw new BackendError(
      'BAD_CONFIG',
      'not-applied',
      'hostKey or hostKeyFile is required to verify the identity of the target',
    );
  }
  const dial = createSshDial({
    ...address,
    user: text('user'),
    privateKey: text('privateKeyFile'),
    hostKey: parseHostKeyPin(hostKey),
    commandTimeoutMs: COMMAND_TIMEOUT_MS,
    clock: ports.clock,
  });
  const storageAddresses = list('storageAddresses');
  return assembleLinuxTarget(
    name,
    {
      ...address,
      storageAddresses: storageAddresses.length > 0 ? storageAddresses : [address.host],
      ports: exportPorts,
      addressAttributes: text('volumeAddressAttributes')
        .split(',')
        .map((key) => key.trim())
        .filter(Boolean),
      nqnTemplate: text('volumeNqn'),
      nsidTemplate: text('volumeNsid'),
      activityWindowMs: number('activityWindowMs'),
      idlePollMs: number('idlePollMs'),
      writesStillMs: number('writesStillMs'),
    },
    dial,
    ports,
  );
}

/** Longest time of one request, ms. A read of 1,000 sockets takes well below 1 s. */
const COMMAND_TIMEOUT_MS = 10_000;

export const linuxTargetDescriptor: BackendDescriptor = {
  kind: 'linux-nvmet',
  title: 'Linux NVMe/TCP target',
  options: {
    address: {
      type: 'host-port',
      defaultPort: 22,
      required: true,
      description: 'SSH address of the target.',
    },
    user: { type: 'text', default: 'reattach', description: 'SSH user whose key runs the forced command.' },
    privateKeyFile: {
      type: 'file',
      required: true,
      secret: true,
      ownerOnly: true,
      description: 'File with the private key of the user: OpenSSH, ed25519 or RSA.',
    },
    hostKey: {
      type: 'text',
      description:
        'Host key of the target: an OpenSSH line or its `SHA256:` fingerprint. This or `hostKeyFile` is required.',
    },
    hostKeyFile: { type: 'file', description: 'File with the host key of the target, as in `hostKey`.' },
    storageAddresses: {
      type: 'addresses',
      description: 'Addresses by which PersistentVolumes name the target. Default: the host of `address`.',
    },
    ports: {
      type: 'text',
      default: '',
      description: 'NVMe/TCP ports that are read and fenced beside those that nvmet serves, with commas.',
    },
    volumeAddressAttributes: {
      type: 'text',
      default: DEMOCRATIC_CSI.addressAttributes.join(','),
      description:
        'Volume attributes that name the target: addresses or `tcp://host:port`, with commas. The default is for democratic-csi.',
    },
    volumeNqn: {
      type: 'text',
      default: DEMOCRATIC_CSI.nqnTemplate,
      description: 'NQN of a volume: text with `{ATTRIBUTE}` and `{volumeHandle}`.',
    },
    volumeNsid: {
      type: 'text',
      default: DEMOCRATIC_CSI.nsidTemplate,
      description:
        'Namespace id of a volume, as `volumeNqn`; a volume without the attribute has the only namespace of its subsystem.',
    },
    activityWindowMs: {
      type: 'milliseconds',
      default: 15_000,
      description: 'A host that talked to the target within this time is live.',
      safe: { atLeast: 15_000, because: 'older kernels send a keep-alive every 5 s, and three may be lost' },
    },
    idlePollMs: {
      type: 'milliseconds',
      default: 20_000,
      description: 'How often the target is read while no node is suspect.',
      safe: { atLeast: 5_000, because: 'every reading runs a command on the target' },
    },
    writesStillMs: {
      type: 'milliseconds',
      default: 2_000,
      description: 'How long the write counters of a fenced volume must have stood still.',
      safe: { atLeast: 1_000, because: 'a write may be between two readings' },
    },
  },
  create,
  check(backend, context): readonly BackendCheck[] {
    const { driver } = backend as LinuxTargetBackend;
    return driver.lastContent
      ? targetChecks(driver.lastContent, context)
      : [unreadCheck(backend.health().detail)];
  },
};

function unreadCheck(detail: string): BackendCheck {
  const fix =
    connectionFix('linux-nvmet', detail) ??
    'install the forced command as deploy/linux-target/README.md describes, and check it with: ssh USER@TARGET "read 0123456789abcdef"';
  return { name: 'forced command', state: 'failed', detail, fix };
}
