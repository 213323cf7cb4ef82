import { COMPRESSED_TIMES } from '@reattach/sim-world';

/** Times of the simulated cluster and backend, ms of the fake clock: shorter still than the compressed ones. */
export const WORLD_TIMES: typeof COMPRESSED_TIMES = {
  ...COMPRESSED_TIMES,
  cluster: {
    ...COMPRESSED_TIMES.cluster,
    nodeGraceMs: 1_200,
    podGcQuarantineMs: 10_000, // longer than the controller's grace, as the real 40 s are
    syncPeriodMs: 1_000,
  },
};

/** The controller's waits, in step with them. */
export const CONTROLLER_TIMES: Readonly<Record<string, number>> = {
  'grace-period-ms': 1_500,
  'silent-grace-ms': 500,
  'rds-activity-window-ms': 2_000, // the backend prints whole seconds
  'suspect-poll-ms': 200,
  'rds-idle-poll-ms': 500,
  'rds-writes-still-ms': 250,
  'fence-poll-ms': 500,
  'detach-timeout-ms': 3_000,
};
