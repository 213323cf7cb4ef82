import { metrics, type ObservableResult } from '@opentelemetry/api';
import { ATTR_BACKEND, ATTR_COMMAND, ATTR_ERROR_TYPE, ATTR_RECONNECT_STATUS } from './semconv.ts';

/** How an attempt to connect again ended. */
export const RECONNECT_STATUSES = ['success', 'failure'] as const;

/** @see RECONNECT_STATUSES */
export type ReconnectStatus = (typeof RECONNECT_STATUSES)[number];

/** One row of the table of instruments. */
export interface InstrumentDefinition {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  /** Attributes of each measurement; `error.type` only on failure. */
  readonly attributes: readonly string[];
}

type InstrumentName =
  | 'commandDuration'
  | 'connectionState'
  | 'reconnects'
  | 'reconnectDuration'
  | 'readingAge'
  | 'unattributed';

/** Every instrument of this package. */
export const INSTRUMENTS: Readonly<Record<InstrumentName, InstrumentDefinition>> = {
  commandDuration: {
    name: 'reattach.ssh.command.duration',
    unit: 's',
    description: 'Duration of commands sent to a storage backend over SSH, waiting for the turn included.',
    attributes: [ATTR_BACKEND, ATTR_COMMAND, ATTR_ERROR_TYPE],
  },
  connectionState: {
    name: 'reattach.backend.connection.state',
    unit: '1',
    description: '1 while the storage backend is connected, else 0.',
    attributes: [ATTR_BACKEND],
  },
  reconnects: {
    name: 'reattach.backend.reconnects',
    unit: '{attempt}',
    description: 'Attempts to connect to a storage backend again, by how they ended.',
    attributes: [ATTR_BACKEND, ATTR_RECONNECT_STATUS],
  },
  reconnectDuration: {
    name: 'reattach.backend.reconnect.duration',
    unit: 's',
    description: 'Time from the loss of the connection to a storage backend until it was re-established.',
    attributes: [ATTR_BACKEND],
  },
  readingAge: {
    name: 'reattach.backend.reading.age',
    unit: 's',
    description: 'Time since the storage backend was last read completely; absent before the first reading.',
    attributes: [ATTR_BACKEND],
  },
  unattributed: {
    name: 'reattach.backend.unattributed_sessions',
    unit: '{session}',
    description:
      'Live sessions in the last reading that belong to no known node; any node that dies may be held because of them.',
    attributes: [ATTR_BACKEND],
  },
};

/** Seconds. A round trip on a LAN takes a few ms; a command may take until its limit of 10 s. */
const COMMAND_BOUNDARIES = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Seconds. The back-off alone is up to 17.6 s; an outage may take hours. */
const RECONNECT_BOUNDARIES = [0.5, 1, 2, 5, 10, 20, 60, 300, 900, 3600];

/** The last complete reading, for metrics. */
export interface ObservedReading {
  readonly ageMs: number;
  /** How many live sessions belong to no known node. */
  readonly unattributed: number;
}

/** What the client of one backend records. */
export interface SshMetrics {
  /** @param errorCode absent when the command succeeded */
  commandEnded(command: string, durationMs: number, errorCode: string | undefined): void;
  connectionChanged(connected: boolean): void;
  reconnectEnded(status: ReconnectStatus): void;
  reconnected(durationMs: number): void;
  /** Calls `read` whenever metrics are read, until disposed; `undefined`: there is no reading yet. */
  observeReading(read: () => ObservedReading | undefined): Disposable;
}

function options({
  unit,
  description,
}: InstrumentDefinition): Pick<InstrumentDefinition, 'unit' | 'description'> {
  return { unit, description };
}

/**
 * Records to OpenTelemetry; counters start at 0. Called when the client of a backend is made, not on import: the meter of
 * an SDK registered later would be missed.
 */
export function createSshMetrics(backend: string): SshMetrics {
  const meter = metrics.getMeter('@reattach/ssh-transport');
  const { commandDuration, connectionState, reconnects, reconnectDuration, readingAge, unattributed } =
    INSTRUMENTS;
  const commands = meter.createHistogram(commandDuration.name, {
    ...options(commandDuration),
    advice: { explicitBucketBoundaries: COMMAND_BOUNDARIES },
  });
  const state = meter.createGauge(connectionState.name, options(connectionState));
  const attempts = meter.createCounter(reconnects.name, options(reconnects));
  const outages = meter.createHistogram(reconnectDuration.name, {
    ...options(reconnectDuration),
    advice: { explicitBucketBoundaries: RECONNECT_BOUNDARIES },
  });
  const ages = meter.createObservableGauge(readingAge.name, options(readingAge));
  const strangers = meter.createObservableGauge(unattributed.name, options(unattributed));
  const ofBackend = { [ATTR_BACKEND]: backend };
  state.record(0, ofBackend);
  for (const status of RECONNECT_STATUSES) attempts.add(0, { ...ofBackend, [ATTR_RECONNECT_STATUS]: status });
  return {
    commandEnded(command, durationMs, errorCode) {
      const failed = errorCode === undefined ? {} : { [ATTR_ERROR_TYPE]: errorCode };
      commands.record(durationMs / 1000, { ...ofBackend, [ATTR_COMMAND]: command, ...failed });
    },
    connectionChanged: (connected) => state.record(connected ? 1 : 0, ofBackend),
    reconnectEnded: (status) => attempts.add(1, { ...ofBackend, [ATTR_RECONNECT_STATUS]: status }),
    reconnected: (durationMs) => outages.record(durationMs / 1000, ofBackend),
    observeReading(read) {
      const observeAge = (result: ObservableResult) => {
        const reading = read();
        if (reading) result.observe(reading.ageMs / 1000, ofBackend);
      };
      const observeStrangers = (result: ObservableResult) => {
        const reading = read();
        if (reading) result.observe(reading.unattributed, ofBackend);
      };
      ages.addCallback(observeAge);
      strangers.addCallback(observeStrangers);
      return {
        [Symbol.dispose]() {
          ages.removeCallback(observeAge);
          strangers.removeCallback(observeStrangers);
        },
      };
    },
  };
}
