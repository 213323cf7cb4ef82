import {
  MODES,
  type Mode,
  OTHER_DRIVERS,
  type OtherDrivers,
  STRATEGIES,
  type Strategy,
} from '@reattach/core';
import { AUDIENCES, type Audience } from '../http/state-access.ts';
import type { HostPort } from './host-port.ts';
import {
  address,
  addressList,
  choice,
  flag,
  fraction,
  httpUrl,
  labels,
  listenAddress,
  milliseconds,
  path,
  text,
  type ValueType,
  wholeNumber,
} from './option-type.ts';

/** The type of every option's value, by key. */
export interface OptionValues {
  config: string;
  kubeconfig: string;
  context: string;
  attacher: string;
  mode: Mode;
  strategy: Strategy;
  otherDrivers: OtherDrivers;
  'rds.address': HostPort;
  'rds.user': string;
  'rds.privateKeyFile': string;
  'rds.passphraseFile': string;
  'rds.hostKey': string;
  'rds.hostKeyFile': string;
  'rds.storageAddresses': readonly string[];
  'http.listen': HostPort;
  'http.state': Audience;
  'audit.file': string;
  'audit.maxBytes': number;
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
  'fence.quiesceMs': number;
  'fence.writesStillMs': number;
  'fence.pollMs': number;
  'fence.neverFence': Readonly<Record<string, string>>;
  earlyDetection: boolean;
  leaseStaleMs: number;
  'leaderElection.enabled': boolean;
  'leaderElection.namespace': string;
  'leaderElection.leaseName': string;
  'leaderElection.identity': string;
  'leaderElection.leaseDurationMs': number;
  'leaderElection.renewDeadlineMs': number;
  'leaderElection.retryPeriodMs': number;
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
    description:
      'Kubeconfig file. Without it the files that `KUBECONFIG` lists, else `~/.kube/config`, else the service account of the pod.',
  },
  context: { type: text, description: 'Context of the kubeconfig. Without it the current context.' },
  attacher: {
    type: text,
    default: 'rds.csi.srvlab.io',
    description: 'CSI driver whose VolumeAttachments are looked after; all others are left alone.',
  },
  mode: {
    type: choice(MODES),
    default: 'observe',
    description:
      '`observe` decides and reports what `fence` would do, and changes nothing; `fence` cuts a lost node off at the backend, then releases its volumes.',
  },
  strategy: {
    type: choice(STRATEGIES),
    default: 'auto',
    description:
      'How a volume leaves a lost node. `in-use`: out of `status.volumesInUse`; `delete`: its VolumeAttachment is deleted; `out-of-service`: the Node is tainted, which touches every driver on it; `auto`: `in-use` while the Node exists, `delete` when it is gone. What has no effect within `detachTimeoutMs` falls back to `delete`.',
  },
  otherDrivers: {
    type: choice(OTHER_DRIVERS),
    description:
      'What volumes of other drivers on the lost node mean for ours. Default: `hold` with strategy `out-of-service`, else `release-ours`.',
  },
  'rds.address': { type: address(22), required: true, description: 'SSH address of the storage backend.' },
  'rds.user': { type: text, required: true, description: 'SSH user on the storage backend.' },
  'rds.privateKeyFile': { type: path, required: true, description: 'Private key of that user.' },
  'rds.passphraseFile': { type: path, description: 'Passphrase of the private key.' },
  'rds.hostKey': {
    type: text,
    description:
      'Host key of the backend: an OpenSSH line or its `SHA256:` fingerprint. This or `rds.hostKeyFile` is required.',
  },
  'rds.hostKeyFile': {
    type: path,
    description: 'File with the host key of the backend, as in `rds.hostKey`.',
  },
  'rds.storageAddresses': {
    type: addressList,
    description:
      'Addresses by which PersistentVolumes name the backend (`nvmeAddress`, `rdsAddress` or `address` of their volume attributes). Default: the host of `rds.address`. A volume at any other address is held.',
  },
  'http.listen': {
    type: listenAddress,
    default: { host: '127.0.0.1', port: 9808 },
    description:
      'Where `/livez`, `/readyz` and `/metrics` are served. Loopback, since they are not authenticated; a container sets `0.0.0.0:9808` or `[::]:9808` for its probes.',
  },
  'http.state': {
    type: choice(AUDIENCES),
    default: 'local',
    description:
      'To whom status page, state and history are served: `local` to callers on this machine or in its pod, so also through `kubectl exec` and `kubectl port-forward`; `all` to everybody who can connect; `off` to nobody.',
  },
  'audit.file': {
    type: path,
    description:
      'File to which everything that was done is written, one JSON object a line, with the facts it rested on. Each replica needs its own. Without it the last 1,000 are kept in memory.',
  },
  'audit.maxBytes': {
    type: wholeNumber(65_536),
    default: 10_485_760,
    description: 'Size at which that file is renamed to `.1`, in place of the one before.',
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
    description:
      'What the grace period shrinks to once the backend has proved the node silent for that long.',
  },
  activityWindowMs: {
    type: milliseconds(1),
    default: 15_000,
    safe: { atLeast: 10_001, because: 'a live host may miss one keep-alive: more than two of 5 s' },
    description: 'A node that talked to the backend within this time is live.',
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
    safe: { atLeast: 500, because: 'every poll is a command on the backend' },
    description: 'How often the backend is asked while a node is suspect.',
  },
  idlePollMs: {
    type: milliseconds(1),
    default: 60_000,
    safe: { atLeast: 5_000, because: 'every poll is a command on the backend' },
    description:
      'How often the backend is asked while no node is, so that live nodes are known before they die.',
  },
  detachTimeoutMs: {
    type: milliseconds(1),
    default: 60_000,
    description:
      'How long a detach may take before the next way is tried, and external-attacher before it is reported as stuck.',
  },
  'fence.quiesceMs': {
    type: milliseconds(1),
    default: 10_000,
    safe: {
      atLeast: 10_000,
      because: 'the backend may hold commands of a host until its NVMe keep-alive timeout',
    },
    description: 'Silence of a fenced node after which the backend holds no command of it any more.',
  },
  'fence.writesStillMs': {
    type: milliseconds(1),
    default: 2_000,
    safe: { atLeast: 1_000, because: 'two samples of the write counters must tell a difference' },
    description: "How long the write counters of a fenced node's volumes must have stood still.",
  },
  'fence.pollMs': {
    type: milliseconds(1),
    default: 10_000,
    safe: { atLeast: 1_000, because: 'every poll is a command on the backend' },
    description:
      'How often the backend is read while a fence stands and no node is suspect: the node may be back.',
  },
  'fence.neverFence': {
    type: labels,
    description:
      'Nodes that carry all of these labels are never fenced: those that boot from the backend. Default: none.',
  },
  earlyDetection: {
    type: flag,
    default: false,
    description:
      'Suspect a node when its kubelet stops renewing its Lease, before Kubernetes marks it NotReady. Acts in mode `fence` only.',
  },
  leaseStaleMs: {
    type: milliseconds(1),
    default: 20_000,
    safe: { atLeast: 15_000, because: 'a kubelet renews every 10 s' },
    description: 'How long a Lease may go without renewal before `earlyDetection` suspects its node.',
  },
  'leaderElection.enabled': {
    type: flag,
    default: true,
    description:
      'Several replicas agree by a Lease on the one that acts; the others keep warm caches. Without it nothing is noted for a successor: a deleted Node without pods is held after a restart, unless it is fenced.',
  },
  'leaderElection.namespace': {
    type: text,
    description:
      "Namespace of that Lease. Default: the one of the pod's service account, else `kube-system`.",
  },
  'leaderElection.leaseName': { type: text, default: 'reattach', description: 'Name of that Lease.' },
  'leaderElection.identity': {
    type: text,
    description: 'Name of this replica in the Lease. Default: host name and a random part.',
  },
  'leaderElection.leaseDurationMs': {
    type: milliseconds(1_000),
    default: 15_000,
    safe: {
      atLeast: 15_000,
      because: 'a write of the old leader, 5 s at most, must end before a new one may start',
    },
    description:
      'How long the others wait, since they last saw the Lease renewed, before they take over. Whole seconds.',
  },
  'leaderElection.renewDeadlineMs': {
    type: milliseconds(1),
    default: 10_000,
    safe: {
      atLeast: 2_000,
      atMost: 10_000,
      because: 'with the 5 s of a write it must fit into the lease duration',
    },
    description: 'A leader that has not renewed for this long writes nothing more.',
  },
  'leaderElection.retryPeriodMs': {
    type: milliseconds(1),
    default: 2_000,
    safe: { atLeast: 500, because: 'every try is a request' },
    description: 'How often the Lease is renewed or tried.',
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
      'Base URL of an OpenTelemetry collector; spans go to its `/v1/traces`, metrics to its `/v1/metrics` once a minute. Without it none are sent.',
  },
  events: {
    type: flag,
    default: true,
    description: 'Publish Events on PersistentVolumeClaims, on Nodes and on the Pod of the controller.',
  },
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
