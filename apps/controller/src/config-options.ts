import type { HostPort } from './host-port.ts';
import {
  address,
  choice,
  flag,
  fraction,
  httpUrl,
  listenAddress,
  milliseconds,
  path,
  text,
  type ValueType,
  wholeNumber,
} from './value-type.ts';

/** The type of every option's value, by key. */
export interface OptionValues {
  config: string;
  kubeconfig: string;
  context: string;
  attacher: string;
  mode: 'observe' | 'release';
  'rds.address': HostPort;
  'rds.user': string;
  'rds.privateKeyFile': string;
  'rds.passphraseFile': string;
  'rds.hostKey': string;
  'rds.hostKeyFile': string;
  'http.listen': HostPort;
  'log.level': 'debug' | 'info' | 'warn' | 'error';
  'log.format': 'json' | 'pretty';
  'reconcile.intervalMs': number;
  gracePeriodMs: number;
  silentGraceMs: number;
  activityWindowMs: number;
  maxCacheAgeMs: number;
  suspectPollMs: number;
  idlePollMs: number;
  detachTimeoutMs: number;
  'breaker.maxNodes': number;
  'breaker.maxFraction': number;
  'breaker.maxNodesPerWindow': number;
  'breaker.windowMs': number;
  shutdownGraceMs: number;
  'otlp.endpoint': string;
  events: boolean;
  'unsafe.compressedTimes': boolean;
}

/** @see OptionValues */
export type OptionKey = keyof OptionValues;

/** Bounds inside which a number is safe in production. Only `unsafe.compressedTimes` lifts them. */
export interface SafeRange {
  readonly atLeast: number;
  readonly atMost?: number;
  /** Why, in the refusal and in the README. */
  readonly because: string;
}

/** One row of the table. Flag and environment variable follow from the key. */
export interface Option<T> {
  readonly type: ValueType<T>;
  readonly default?: T;
  /** The start is refused without it. */
  readonly required?: true;
  /** Its value never appears in a message. */
  readonly secret?: true;
  readonly safe?: SafeRange;
  readonly description: string;
}

/** Every option of the controller: parser, help text and README table are made from this. */
export const OPTIONS: { readonly [K in OptionKey]: Option<OptionValues[K]> } = {
  config: { type: path, description: 'YAML file with the options below, nested by their dots.' },
  kubeconfig: {
    type: path,
    description: 'Kubeconfig file. Without it `KUBECONFIG`, and without that the service account of the pod.',
  },
  context: { type: text, description: 'Context of the kubeconfig. Without it the current context.' },
  attacher: {
    type: text,
    default: 'rds.csi.srvlab.io',
    description: 'CSI driver whose VolumeAttachments are looked after; all others are left alone.',
  },
  mode: {
    type: choice(['observe', 'release'], ' (fence is not available yet)'),
    default: 'observe',
    description: '`observe` decides and reports but changes nothing; `release` acts.',
  },
  'rds.address': { type: address(22), required: true, description: 'SSH address of the storage box.' },
  'rds.user': { type: text, required: true, description: 'SSH user on the storage box.' },
  'rds.privateKeyFile': { type: path, required: true, description: 'Private key of that user.' },
  'rds.passphraseFile': { type: path, description: 'Passphrase of the private key.' },
  'rds.hostKey': {
    type: text,
    description:
      'Host key of the box: an OpenSSH line or its `SHA256:` fingerprint. This or `rds.hostKeyFile` is required.',
  },
  'rds.hostKeyFile': { type: path, description: 'File with the host key of the box, as in `rds.hostKey`.' },
  'http.listen': {
    type: listenAddress,
    default: { host: '127.0.0.1', port: 9808 },
    description:
      'Where `/livez`, `/readyz` and `/metrics` are served. Loopback, since they are not authenticated; a container sets `0.0.0.0:9808` or `[::]:9808` for its probes.',
  },
  'log.level': {
    type: choice(['debug', 'info', 'warn', 'error']),
    default: 'info',
    description: 'Least level that is logged.',
  },
  'log.format': {
    type: choice(['json', 'pretty']),
    default: 'json',
    description: '`pretty` is for people at a terminal.',
  },
  'reconcile.intervalMs': {
    type: milliseconds(1),
    default: 300_000,
    safe: { atLeast: 10_000, because: 'triggers and deadlines start a pass anyway' },
    description: 'Longest time between two passes.',
  },
  gracePeriodMs: {
    type: milliseconds(1),
    default: 30_000,
    safe: { atLeast: 10_000, because: 'a node that restarts its network must not lose its volumes' },
    description: 'How long a node must be gone or not ready before anything is done.',
  },
  silentGraceMs: {
    type: milliseconds(1),
    default: 10_000,
    safe: { atLeast: 10_000, because: 'a host may resume within its NVMe keep-alive timeout' },
    description: 'What the grace period shrinks to once the box has proved the node silent for that long.',
  },
  activityWindowMs: {
    type: milliseconds(1),
    default: 15_000,
    safe: { atLeast: 10_001, because: 'a live host may miss one keep-alive: more than two of 5 s' },
    description: 'A node that talked to the box within this time is live.',
  },
  maxCacheAgeMs: {
    type: milliseconds(1),
    default: 120_000,
    safe: {
      atLeast: 70_000,
      atMost: 300_000,
      because: 'the API server sends a bookmark about once a minute, and an older view proves nothing',
    },
    description:
      'Nothing is done while the view of the cluster is older. A quiet watch proves itself only by its bookmarks, about one a minute, so two are allowed for.',
  },
  suspectPollMs: {
    type: milliseconds(1),
    default: 2_000,
    safe: { atLeast: 500, because: 'every poll is a command on the box' },
    description: 'How often the box is asked while a node is suspect.',
  },
  idlePollMs: {
    type: milliseconds(1),
    default: 60_000,
    safe: { atLeast: 5_000, because: 'every poll is a command on the box' },
    description: 'How often the box is asked while no node is, so that live nodes are known before they die.',
  },
  detachTimeoutMs: {
    type: milliseconds(1),
    default: 60_000,
    description: 'How long external-attacher may take to finish a detach before it is reported as stuck.',
  },
  'breaker.maxNodes': {
    type: wholeNumber(1),
    default: 1,
    description: 'More nodes lost at once, and at least `breaker.maxFraction` of all: everything is held.',
  },
  'breaker.maxFraction': {
    type: fraction,
    default: 0.49,
    description: 'See `breaker.maxNodes`.',
  },
  'breaker.maxNodesPerWindow': {
    type: wholeNumber(1),
    default: 3,
    description: 'More nodes lost within `breaker.windowMs`: everything is held.',
  },
  'breaker.windowMs': {
    type: milliseconds(1),
    default: 600_000,
    safe: { atLeast: 60_000, because: 'a failure that spreads must be seen as one' },
    description: 'See `breaker.maxNodesPerWindow`.',
  },
  shutdownGraceMs: {
    type: milliseconds(1),
    default: 20_000,
    description:
      'Time for a clean stop. Keep it below the `terminationGracePeriodSeconds` of the pod (Kubernetes: 30 s).',
  },
  'otlp.endpoint': {
    type: httpUrl,
    secret: true,
    description:
      'Base URL of an OpenTelemetry collector; spans go to its `/v1/traces`. Without it none are sent.',
  },
  events: { type: flag, default: true, description: 'Publish Events on PersistentVolumeClaims and Nodes.' },
  'unsafe.compressedTimes': {
    type: flag,
    default: false,
    description:
      'Lifts the safe ranges of all times, for demonstrations against simulators. Never in production.',
  },
};

/** Keys in the order of the table. */
export const OPTION_KEYS: readonly OptionKey[] = Object.keys(OPTIONS).filter(isOptionKey);

/** Says whether `name` is the key of an option. */
export function isOptionKey(name: string): name is OptionKey {
  return Object.hasOwn(OPTIONS, name);
}

/** `rds.privateKeyFile` -> `--rds-private-key-file`. */
export function flagOf(key: OptionKey): `--${string}` {
  return `--${words(key).join('-')}`;
}

/** `rds.privateKeyFile` -> `REATTACH_RDS_PRIVATE_KEY_FILE`. */
export function environmentVariableOf(key: OptionKey): `REATTACH_${string}` {
  return `REATTACH_${words(key).join('_').toUpperCase()}`;
}

/** A value as an operator would write it. */
export function formatValue<K extends OptionKey>(key: K, value: OptionValues[K]): string {
  const { type }: Option<OptionValues[K]> = OPTIONS[key];
  return type.format(value);
}

function words(key: OptionKey): readonly string[] {
  return key.replaceAll(/[A-Z]/g, (letter) => `.${letter.toLowerCase()}`).split('.');
}
