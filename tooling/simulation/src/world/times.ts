/** Times of the world around the controller, ms: those of Kubernetes and of a Linux host. */
export const WORLD_TIMES = {
  attachMs: 500,
  detachMs: 500,
  syncPeriodMs: 60_000,
  attachDetachLoopMs: 1_000,
  podGcPeriodMs: 20_000,
  podGcQuarantineMs: 40_000,
  nodeGraceMs: 50_000,
  nodeMonitorPeriodMs: 5_000,
  leaseIntervalMs: 10_000,
  nodeStatusIntervalMs: 10_000,
  /** Time between two writes of an application. */
  writeIntervalMs: 2_000,
} as const;
