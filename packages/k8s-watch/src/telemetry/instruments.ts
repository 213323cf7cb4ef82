import { type Attributes, type Counter, metrics, type ObservableGauge } from '@opentelemetry/api';

const SCOPE = '@reattach/k8s-watch';

/** Plural name of the resource, e.g. `nodes`. */
const ATTR_RESOURCE = 'reattach.k8s.resource';
/** Why a watch ended, or a list failed, so that it had to be started again. */
const ATTR_RECONNECT_REASON = 'reattach.watch.reconnect.reason';

/**
 * `eof`: the server closed the stream. `idle`: nothing arrived for too long. `stale`: the server answered with a state
 * older than one seen before. `unexpected`: an error no other reason names. The rest are codes of `KubeApiError`.
 */
export const RECONNECT_REASONS = [
  'eof',
  'idle',
  'stale',
  'gone',
  'too_many_requests',
  'server_error',
  'unavailable',
  'timeout',
  'malformed',
  'unauthorized',
  'forbidden',
  'not_found',
  'invalid',
  'unexpected',
] as const;

/** @see RECONNECT_REASONS */
export type ReconnectReason = (typeof RECONNECT_REASONS)[number];

/** One row of the table of instruments. */
interface InstrumentDefinition {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
}

type InstrumentName = 'events' | 'relists' | 'reconnects' | 'handlerErrors' | 'cacheAge' | 'objects';

/** Every instrument of this package. Each measurement carries the resource; reconnects carry the reason too. */
export const INSTRUMENTS: Readonly<Record<InstrumentName, InstrumentDefinition>> = {
  events: {
    name: 'reattach.watch.events',
    unit: '{event}',
    description: 'Changes received from watches of the Kubernetes API; bookmarks are not counted.',
  },
  relists: {
    name: 'reattach.watch.relists',
    unit: '{relist}',
    description: 'Times a resource was listed again because its watch could not be resumed.',
  },
  reconnects: {
    name: 'reattach.watch.reconnects',
    unit: '{reconnect}',
    description: 'Times a list or watch had to be started again, by reason.',
  },
  handlerErrors: {
    name: 'reattach.watch.handler.errors',
    unit: '{error}',
    description: 'Event handlers that threw; the others were called all the same.',
  },
  cacheAge: {
    name: 'reattach.watch.cache.age',
    unit: 's',
    description: 'Time since the cache was last known to equal the API server; absent before the first list.',
  },
  objects: {
    name: 'reattach.watch.cache.objects',
    unit: '{object}',
    description: 'Objects in the cache.',
  },
};

/** What the observable gauges read of a cache. */
export interface ObservedCache {
  readonly ageMs: number | undefined;
  readonly objects: number;
}

/** Records what happens to one resource. */
export interface ResourceMetrics extends Disposable {
  event(): void;
  relist(): void;
  reconnect(reason: ReconnectReason): void;
  handlerError(): void;
}

/** The instruments of this package, from the meter provider of the moment: made when the application composes. */
export class WatchInstruments {
  readonly #events: Counter = counter(INSTRUMENTS.events);
  readonly #relists: Counter = counter(INSTRUMENTS.relists);
  readonly #reconnects: Counter = counter(INSTRUMENTS.reconnects);
  readonly #handlerErrors: Counter = counter(INSTRUMENTS.handlerErrors);
  readonly #cacheAge: ObservableGauge = gauge(INSTRUMENTS.cacheAge);
  readonly #objects: ObservableGauge = gauge(INSTRUMENTS.objects);

  /** Counts for `resource` from 0 and observes its cache until disposed. */
  forResource(resource: string, read: () => ObservedCache): ResourceMetrics {
    const attributes: Attributes = { [ATTR_RESOURCE]: resource };
    const withReason = Object.fromEntries(
      RECONNECT_REASONS.map((reason) => [reason, { ...attributes, [ATTR_RECONNECT_REASON]: reason }]),
    );
    for (const each of [this.#events, this.#relists, this.#handlerErrors]) each.add(0, attributes);
    for (const reason of RECONNECT_REASONS) this.#reconnects.add(0, withReason[reason]);
    const observeAge = (result: { observe(value: number, attributes: Attributes): void }) => {
      const { ageMs } = read();
      if (ageMs !== undefined) result.observe(ageMs / 1000, attributes);
    };
    const observeObjects = (result: { observe(value: number, attributes: Attributes): void }) =>
      result.observe(read().objects, attributes);
    this.#cacheAge.addCallback(observeAge);
    this.#objects.addCallback(observeObjects);
    return {
      event: () => this.#events.add(1, attributes),
      relist: () => this.#relists.add(1, attributes),
      reconnect: (reason) => this.#reconnects.add(1, withReason[reason]),
      handlerError: () => this.#handlerErrors.add(1, attributes),
      [Symbol.dispose]: () => {
        this.#cacheAge.removeCallback(observeAge);
        this.#objects.removeCallback(observeObjects);
      },
    };
  }
}

function counter({ name, unit, description }: InstrumentDefinition): Counter {
  return metrics.getMeter(SCOPE).createCounter(name, { unit, description });
}

function gauge({ name, unit, description }: InstrumentDefinition): ObservableGauge {
  return metrics.getMeter(SCOPE).createObservableGauge(name, { unit, description });
}
