/**
 * Time between two readings of an RDS while no node is suspect, ms. The target closes the queues of a dead host between one and two keep-alive
 * time-outs after its last command, so 5 s after it at the earliest (docs/adr/0017-read-an-rds-every-four-seconds.md). A reading before that,
 * with the same packet counters, proves that the close was the target's.
 */
export const DEFAULT_IDLE_POLL_MS = 4_000;
