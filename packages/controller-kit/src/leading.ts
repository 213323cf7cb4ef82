import type { BackendHistory, Clock, Leadership, Logger } from '@reattach/core';
import {
  alwaysLeader,
  guardWrites,
  LeaderElector,
  LeaseBackendHistory,
  LeaseFenceRecords,
  LeaseLostNodeRecords,
  observeLeader,
} from '@reattach/k8s-actions';
import type { KubeApi } from '@reattach/k8s-api';
import { podNamespace } from './pod-namespace.ts';
import type { Teardown } from './teardown.ts';

/** How replicas elect a leader. */
export interface LeaderElectionConfig {
  /** Default: the pod's own namespace. */
  readonly namespace?: string;
  /** Name of the Lease, and prefix of the Leases that hold records. One per driver in a namespace. */
  readonly leaseName: string;
  /** Default 15 000, as in Kubernetes. */
  readonly leaseDurationMs?: number;
  /** Default 10 000, as in Kubernetes. */
  readonly renewDeadlineMs?: number;
  /** Default 2 000, as in Kubernetes. */
  readonly retryPeriodMs?: number;
}

/** Whether this replica acts, and what follows from it. */
export interface Leading {
  /** Absent: this process is the only replica. */
  readonly elector?: LeaderElector;
  readonly leadership: Leadership;
  /** Refuses writes of a replica that does not lead. */
  readonly guardedApi: KubeApi;
  /** What a successor must know; absent without leader election. */
  readonly records?: LeaseLostNodeRecords;
  /** Absent without leader election. */
  readonly fenceRecords?: LeaseFenceRecords;
  /** Keeps what a backend has learned for a successor; `undefined` without leader election. */
  readonly historyOf: (backendName: string) => BackendHistory | undefined;
  readonly isLeading: () => boolean;
}

export interface LeadingOptions {
  readonly api: KubeApi;
  /** Absent: this process is the only replica. */
  readonly leaderElection?: LeaderElectionConfig;
  readonly attacher: string;
  readonly identity: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random?: () => number;
  readonly teardown: Teardown;
}

export function composeLeading(options: LeadingOptions): Leading {
  const leading = options.leaderElection ? elected(options, options.leaderElection) : alone(options);
  const metric = observeLeader(leading.isLeading);
  options.teardown.defer('leader-metric', () => metric[Symbol.dispose]());
  return leading;
}

function alone({ api }: LeadingOptions): Leading {
  return {
    leadership: alwaysLeader,
    guardedApi: api,
    historyOf: () => undefined,
    isLeading: () => true,
  };
}

function elected(options: LeadingOptions, leaderElection: LeaderElectionConfig): Leading {
  const { api, attacher: owner, identity, clock, logger, random } = options;
  const { leaseName, namespace = podNamespace() } = leaderElection;
  const elector = new LeaderElector({
    ...leaderElection,
    api,
    clock,
    logger,
    random,
    identity,
    name: leaseName,
    namespace,
    owner,
  });
  const guardedApi = guardWrites(api, elector);
  const recordIn = (name: string) => ({
    api: guardedApi,
    namespace,
    name: `${leaseName}-${name}`,
    owner,
    logger,
  });
  return {
    elector,
    leadership: elector,
    guardedApi,
    records: new LeaseLostNodeRecords(recordIn('records')),
    fenceRecords: new LeaseFenceRecords(recordIn('fences')),
    // Names of backends may hold what the name of a Lease may not, such as the colons of IPv6.
    historyOf: (backend) =>
      new LeaseBackendHistory(recordIn(`history-${backend.toLowerCase().replaceAll(/[^a-z0-9.-]/g, '-')}`)),
    isLeading: () => elector.isLeader,
  };
}
