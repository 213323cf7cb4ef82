import type { FakeControllerTimes } from '@reattach/kube-sim';

/** Times of the world around the controller, some twenty times shorter than real ones, so that a failover takes seconds. */
export const COMPRESSED_TIMES: {
  readonly cluster: FakeControllerTimes;
  readonly keepAliveTimeoutMs: number;
  readonly reconnectDelayMs: number;
  readonly connectTimeoutMs: number;
  readonly writeIntervalMs: number;
} = {
  cluster: {
    attachMs: 100,
    detachMs: 100,
    syncPeriodMs: 1_500, // real: 60 000
    attachDetachLoopMs: 50,
    podGcPeriodMs: 1_000, // real: 20 000
    podGcQuarantineMs: 2_000, // real: 40 000
    nodeGraceMs: 2_000, // real: 50 000
    nodeMonitorPeriodMs: 250,
    leaseIntervalMs: 500, // real: 10 000
    nodeStatusIntervalMs: 500,
  },
  keepAliveTimeoutMs: 1_500, // real: 5 000; a reading falls between the last packet and the close, as in reality
  reconnectDelayMs: 250, // real: 10 000
  connectTimeoutMs: 300, // real: 3 000
  writeIntervalMs: 50,
};
