import type { BackendDescriptor, BackendSettings, StorageBackend } from '@reattach/core';
import { createRdsBackend } from './create-rds-backend.ts';
import { DEFAULT_IDLE_POLL_MS } from './default-idle-poll.ts';
import { checkRds } from './doctor/check-rds.ts';
import { PROBES } from './doctor/probes.ts';
import { RdsBackend } from './rds-backend.ts';

/** MikroTik ROSE Data Server, for the configuration, the composition and `doctor` of a controller. */
export const rdsDescriptor: BackendDescriptor = {
  kind: 'rds',
  title: 'MikroTik ROSE Data Server',
  options: {
    address: {
      type: 'host-port',
      defaultPort: 22,
      required: true,
      description: 'SSH address of the storage backend.',
    },
    user: { type: 'text', required: true, description: 'SSH user on the storage backend.' },
    privateKeyFile: {
      type: 'file',
      required: true,
      ownerOnly: true,
      description: 'Private key of that user.',
    },
    passphraseFile: { type: 'file', ownerOnly: true, description: 'Passphrase of the private key.' },
    hostKey: {
      type: 'text',
      required: true,
      description:
        'Host key of the backend: an OpenSSH line or its `SHA256:` fingerprint. This or `rds.hostKeyFile` is required to verify the identity of the backend.',
    },
    hostKeyFile: {
      type: 'file',
      description: 'File with the host key of the backend, as in `rds.hostKey`.',
    },
    storageAddresses: {
      type: 'addresses',
      description:
        'Addresses by which PersistentVolumes name the backend (`nvmeAddress`, `rdsAddress` or `address` of their volume attributes). Default: the host of `rds.address`. A volume at any other address is held.',
    },
    activityWindowMs: {
      type: 'milliseconds',
      default: 15_000,
      safe: { atLeast: 10_001, because: 'a live host may miss one keep-alive: more than two of 5 s' },
      description: 'A node that talked to the backend within this time is live.',
    },
    idlePollMs: {
      type: 'milliseconds',
      default: DEFAULT_IDLE_POLL_MS,
      safe: {
        atLeast: 1_000,
        atMost: 4_500,
        because:
          'every poll is a command on the backend, and the queues of a dead node close 5 s after its last packet at the earliest',
      },
      description:
        'How often the backend is read while no node is suspect. A reading between the last packet of a node and the end of its queues proves that the backend ended them, and not the node.',
    },
    maxQuiesceMs: {
      type: 'milliseconds',
      default: 300_000,
      safe: { atLeast: 60_000, because: 'keep-alive time-outs and slow disks must end within it' },
      description:
        'Longest time for which sessions of a fenced node may stay open at the backend before a person is asked.',
    },
    foreignAddresses: {
      type: 'addresses',
      description:
        'Addresses of hosts outside this cluster that use the backend, such as nodes of another cluster. A live session of any other unknown host holds every release.',
    },
    writesStillMs: {
      type: 'milliseconds',
      default: 2_000,
      safe: { atLeast: 1_000, because: 'two samples of the write counters must show a difference' },
      description: "How long the write counters of a fenced node's volumes must not have changed.",
    },
  },
  create(name, settings, { clock, logger, random, history }) {
    const { host, port } = settings['address'] as { readonly host: string; readonly port: number };
    return createRdsBackend({
      name,
      host,
      port,
      user: text(settings, 'user') ?? '',
      privateKey: text(settings, 'privateKeyFile') ?? '',
      passphrase: text(settings, 'passphraseFile')?.replace(/\r?\n$/, ''),
      hostKey: text(settings, 'hostKey') ?? '',
      storageAddresses: settings['storageAddresses'] as readonly string[] | undefined,
      activityWindowMs: number(settings, 'activityWindowMs'),
      idlePollMs: number(settings, 'idlePollMs'),
      maxQuiesceMs: number(settings, 'maxQuiesceMs'),
      foreignAddresses: settings['foreignAddresses'] as readonly string[] | undefined,
      history,
      writesStillMs: number(settings, 'writesStillMs'),
      clock,
      logger,
      random,
    });
  },
  probeScript: PROBES.join('\n'),
  check: (backend, context) => checkRds(asRds(backend), context),
};

function asRds(backend: StorageBackend): RdsBackend {
  if (backend instanceof RdsBackend) return backend;
  throw new TypeError(`Expected a backend that rdsDescriptor created, got ${backend.kind}`);
}

function text(settings: BackendSettings, option: string): string | undefined {
  return settings[option] as string | undefined;
}

function number(settings: BackendSettings, option: string): number | undefined {
  return settings[option] as number | undefined;
}
