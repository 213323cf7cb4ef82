/** Times and sizes of a host's NVMe/TCP driver. Defaults are those of Linux 6.1, measured where no option names them. */
export interface HostTimes {
  /** `keep-alive-tmo`: how long the target waits, ms; default 5 000. 0: there are no keep-alives, and the target never gives up. */
  readonly keepAliveTimeoutMs: number;
  /** Between two keep-alives of an idle host, ms; default a quarter of the time-out. There are none while commands are completed. */
  readonly keepAliveIntervalMs: number;
  /** How long the host waits for the answer to a keep-alive, ms; default 2.4 time-outs (measured: 12 s at 5 s). */
  readonly keepAliveAnswerMs: number;
  /** How long the host waits for any other answer before it resets the connection, ms; default 30 000. */
  readonly ioTimeoutMs: number;
  /** From a lost connection, or a failed attempt, to the next attempt, ms; default 10 000. Attempts never end. */
  readonly reconnectDelayMs: number;
  /** How long an attempt waits for the target's SYN/ACK, ms; default 3 000. */
  readonly connectTimeoutMs: number;
  /** I/O queues beside the admin queue, each a TCP connection of its own; default 1. */
  readonly ioQueues: number;
}

/** @throws {RangeError} when the host could not keep its own connection alive. */
export function hostTimes(options: Partial<HostTimes>): HostTimes {
  const keepAliveTimeoutMs = options.keepAliveTimeoutMs ?? 5_000;
  const times: HostTimes = {
    keepAliveTimeoutMs,
    keepAliveIntervalMs: options.keepAliveIntervalMs ?? keepAliveTimeoutMs / 4,
    keepAliveAnswerMs: options.keepAliveAnswerMs ?? 2.4 * keepAliveTimeoutMs,
    ioTimeoutMs: options.ioTimeoutMs ?? 30_000,
    reconnectDelayMs: options.reconnectDelayMs ?? 10_000,
    connectTimeoutMs: options.connectTimeoutMs ?? 3_000,
    ioQueues: options.ioQueues ?? 1,
  };
  if (
    keepAliveTimeoutMs > 0 &&
    !(times.keepAliveIntervalMs > 0 && times.keepAliveIntervalMs <= keepAliveTimeoutMs / 2)
  ) {
    throw new RangeError(
      `keepAliveIntervalMs: expected more than 0 and at most half of keepAliveTimeoutMs (${keepAliveTimeoutMs}), got ${times.keepAliveIntervalMs}`,
    );
  }
  return times;
}
