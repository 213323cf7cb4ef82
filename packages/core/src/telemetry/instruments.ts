import {
  type Attributes,
  type Counter,
  type Histogram,
  metrics,
  type ObservableResult,
} from '@opentelemetry/api';

/** One row of a table of instruments. */
export interface InstrumentDefinition {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  /** Every attribute of a measurement, with all the values it can have. */
  readonly attributes: Readonly<Record<string, readonly string[]>>;
}

/** Seconds. A release takes 10 to 120 s from the loss of a node, mostly detection. A pass over 10,000 attachments takes 20 ms; one that waits for a storage backend or an API server takes longer. */
const DURATION_BOUNDARIES = [
  0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 45, 60, 90, 120, 300,
];

const METER = '@reattach/core';

/**
 * Creates a counter that starts at 0 for each value of its attribute, so that a rate is right from the first scrape.
 * Called when the application composes, not on import: the meter of an SDK registered later would be missed.
 */
export function createCounter(definition: InstrumentDefinition): Counter {
  const { name, unit, description, attributes } = definition;
  const counter = metrics.getMeter(METER).createCounter(name, { unit, description });
  for (const each of combinations(attributes)) counter.add(0, each);
  return counter;
}

/** `{ a: ['1', '2'], b: ['3'] }` -> `{ a: '1', b: '3' }`, `{ a: '2', b: '3' }`. */
function combinations(values: InstrumentDefinition['attributes']): readonly Attributes[] {
  return Object.entries(values).reduce<Attributes[]>(
    (all, [key, each]) => all.flatMap((one) => each.map((value) => ({ ...one, [key]: value }))),
    [{}],
  );
}

/** @see createCounter */
export function createDurationHistogram(definition: InstrumentDefinition): Histogram {
  const { name, unit, description } = definition;
  const advice = { explicitBucketBoundaries: DURATION_BOUNDARIES };
  return metrics.getMeter(METER).createHistogram(name, { unit, description, advice });
}

/** A gauge of one attribute that is read at each collection: a value for each known attribute value, 0 where there is none. */
export function createGauge(
  definition: InstrumentDefinition,
  read: () => ReadonlyMap<string, number>,
): Disposable {
  const { name, unit, description, attributes } = definition;
  const gauge = metrics.getMeter(METER).createObservableGauge(name, { unit, description });
  const observe = (result: ObservableResult) => {
    const current = read();
    for (const [attribute, values] of Object.entries(attributes)) {
      for (const value of values) result.observe(current.get(value) ?? 0, { [attribute]: value });
    }
  };
  gauge.addCallback(observe);
  return { [Symbol.dispose]: () => gauge.removeCallback(observe) };
}
