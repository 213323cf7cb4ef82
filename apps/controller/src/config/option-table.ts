import {
  MODES,
  type Mode,
  OTHER_DRIVERS,
  type OtherDrivers,
  STRATEGIES,
  type Strategy,
} from '@reattach/core';
import { STATE_ACCESS, type StateAccess } from '../http/state-access.ts';
import type { HostPort } from './host-port.ts';
import type { Option } from './option.ts';
import {
  boolean,
  choice,
  cidrList,
  duration,
  fraction,
  httpUrl,
  labels,
  listenAddress,
  path,
  text,
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
  'storage.allowedCidrs': readonly string[];
  'http.listen': HostPort;
  'http.probeListen': HostPort;
  'http.stateAccess': StateAccess;
  'page.clusterName': string;
  'page.runbookUrl': string;
  'audit.file': string;
  'audit.maxBytes': number;
  'log.level': 'debug' | 'info' | 'warn' | 'error';
  'log.format': 'json' | 'pretty';
  'reconcile.intervalMs': number;
  gracePeriodMs: number;
  silentGraceMs: number;
  maxCacheAgeMs: number;
  suspectPollMs: number;
  detachTimeoutMs: number;
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

/** Every option of the controller itself; those of the backends follow from their descriptors. */
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
    description: 'CSI driver whose VolumeAttachments the controller releases; it leaves all others alone.',
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
      'What volumes of other drivers on the lost node mean for ours. `hold`: nothing of the node is released; `release-ours`: a pod that also uses another volume is held; `release-pods`: it is deleted too. Default: `hold` with strategy `out-of-service`, else `release-ours`.',
  },
  'storage.allowedCidrs': {
    type: cidrList,
    description:
      'Ranges in which storage addresses of nodes lie, `10.0.0.0/16`. An address outside of them is never fenced. Default: anywhere.',
  },
  'http.listen': {
    type: listenAddress,
    default: { host: '127.0.0.1', port: 9808 },
    description:
      'Where `/livez`, `/readyz` and `/metrics` are served. Loopback, since they are not authenticated; a container sets `0.0.0.0:9808` or `[::]:9808` for its probes.',
  },
  'http.probeListen': {
    type: listenAddress,
    description:
      'Where `/livez` and `/readyz` are served as well, with connections of their own, so that readers of metrics and state cannot delay probes. Default: only at `http.listen`.',
  },
  'http.stateAccess': {
    type: choice(STATE_ACCESS),
    default: 'local',
    description:
      'Who may read the status page, state and history: `local` callers on this machine or in its pod, so also through `kubectl exec` and `kubectl port-forward`; `all` who can connect; `off` for none.',
  },
  'page.clusterName': {
    type: text,
    description: 'Name of the cluster, shown on the status page. Without it the page names none.',
  },
  'page.runbookUrl': {
    type: httpUrl,
    default: 'https://github.com/reattach-project/reattach/blob/main/docs/runbook.md',
    description: 'Where the runbook is. The status page links each hold to its entry there.',
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
    type: duration(1),
    default: 300_000,
    safe: { atLeast: 10_000, because: 'triggers and deadlines start a pass anyway' },
    description: 'Longest time between two passes.',
  },
  gracePeriodMs: {
    type: duration(1),
    default: 30_000,
    safe: { atLeast: 10_000, because: 'a node that restarts its network must not lose its volumes' },
    description: 'How long a node must be gone or not ready before anything is done.',
  },
  silentGraceMs: {
    type: duration(1),
    default: 10_000,
    safe: { atLeast: 10_000, because: 'a host may resume within its NVMe keep-alive timeout' },
    description:
      'What the grace period shrinks to once the backend has proved the node silent for that long.',
  },
  maxCacheAgeMs: {
    type: duration(1),
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
    type: duration(1),
    default: 2_000,
    safe: { atLeast: 500, because: 'every poll is a command on the backend' },
    description: 'How often the backend is asked while a node is suspect.',
  },
  detachTimeoutMs: {
    type: duration(1),
    default: 60_000,
    description:
      'How long a detach may take before the next way is tried, and external-attacher before it is reported as stuck.',
  },
  'fence.pollMs': {
    type: duration(1),
    default: 10_000,
    safe: { atLeast: 1_000, because: 'every poll is a command on the backend' },
    description:
      'How often the backend is read while a node is fenced and none is suspect, because the fenced node may return.',
  },
  'fence.neverFence': {
    type: labels,
    description:
      'Nodes that carry all of these labels are never fenced: those that boot from the backend. Default: none.',
  },
  earlyDetection: {
    type: boolean,
    default: false,
    description:
      'Suspect a node when its kubelet stops renewing its Lease, before Kubernetes marks it NotReady. Acts in mode `fence` only.',
  },
  leaseStaleMs: {
    type: duration(1),
    default: 20_000,
    safe: { atLeast: 15_000, because: 'a kubelet renews every 10 s' },
    description: 'How long a Lease may go without renewal before `earlyDetection` suspects its node.',
  },
  'leaderElection.enabled': {
    type: boolean,
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
    type: duration(1_000),
    default: 15_000,
    safe: {
      atLeast: 15_000,
      because: 'a write of the old leader, 5 s at most, must end before a new one may start',
    },
    description:
      'How long the others wait, since they last saw the Lease renewed, before they take over. Whole seconds.',
  },
  'leaderElection.renewDeadlineMs': {
    type: duration(1),
    default: 10_000,
    safe: {
      atLeast: 2_000,
      atMost: 10_000,
      because: 'with the 5 s of a write it must fit into the lease duration',
    },
    description: 'A leader that has not renewed for this long writes nothing more.',
  },
  'leaderElection.retryPeriodMs': {
    type: duration(1),
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
    type: duration(1),
    default: 600_000,
    safe: { atLeast: 60_000, because: 'a failure that spreads must be seen as one' },
    description: 'See `breaker.maxNodesPerWindow`.',
  },
  shutdownGraceMs: {
    type: duration(1),
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
    type: boolean,
    default: true,
    description: 'Publish Events on PersistentVolumeClaims, on Nodes and on the Pod of the controller.',
  },
  'unsafe.compressedTimes': {
    type: boolean,
    default: false,
    description:
      'Lifts the safe ranges of all times, for demonstrations against simulators. Never in production.',
  },
};
