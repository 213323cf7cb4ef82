import {
  type Attributes,
  createNoopMeter,
  type Link,
  type Meter,
  metrics,
  type ObservableCallback,
  ProxyTracerProvider,
  type Span,
  type SpanContext,
  type SpanOptions,
  type SpanStatus,
  TraceFlags,
  trace,
} from '@opentelemetry/api';

/** One call of `add()` or `record()`. */
export interface Measurement {
  readonly instrument: string;
  readonly value: number;
  readonly attributes: Attributes;
}

/** A span, as far as it has come. */
export interface RecordedSpan {
  readonly name: string;
  readonly attributes: Attributes;
  readonly spanContext: SpanContext;
  readonly links: readonly Link[];
  readonly events: { readonly name: string; readonly attributes: Attributes }[];
  status: SpanStatus | undefined;
  ended: boolean;
}

/** Keeps what code under test says through `@opentelemetry/api`, from its construction until it is disposed. */
export class RecordingTelemetry implements Disposable {
  readonly measurements: Measurement[] = [];
  readonly spans: RecordedSpan[] = [];
  #started = 0;
  readonly #observables = new Map<ObservableCallback, string>();

  constructor() {
    const instrument = (name: string) => {
      const measure = (value: number, attributes: Attributes = {}) =>
        void this.measurements.push({ instrument: name, value, attributes });
      return { add: measure, record: measure };
    };
    const observable = (name: string) => ({
      addCallback: (callback: ObservableCallback) => void this.#observables.set(callback, name),
      removeCallback: (callback: ObservableCallback) => void this.#observables.delete(callback),
    });
    // A copy: the no-op meter is one object for the whole process.
    const meter = Object.assign(Object.create(createNoopMeter()) as Meter, {
      createCounter: instrument,
      createHistogram: instrument,
      createObservableGauge: observable,
    });
    metrics.setGlobalMeterProvider({ getMeter: () => meter });
    const startSpan = (name: string, options: SpanOptions = {}): Span => this.startSpan(name, options);
    const startActiveSpan = (name: string, ...rest: readonly unknown[]): unknown => {
      const run = rest.at(-1) as (span: Span) => unknown;
      return run(startSpan(name, rest.length > 1 ? (rest[0] as SpanOptions) : {}));
    };
    trace.setGlobalTracerProvider({
      getTracer: () => ({ startSpan, startActiveSpan }),
    });
  }

  /** Sum of a counter's measurements that carry all of `attributes`. `undefined` when there is none. */
  total(instrument: string, attributes: Attributes = {}): number | undefined {
    const values = this.measurements
      .filter((measurement) => measurement.instrument === instrument)
      .filter(({ attributes: has }) => Object.entries(attributes).every(([key, value]) => has[key] === value))
      .map(({ value }) => value);
    return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
  }

  /** Asks every observable gauge for its values now. */
  async collect(): Promise<readonly Measurement[]> {
    const collected: Measurement[] = [];
    for (const [callback, instrument] of this.#observables) {
      await callback({
        observe: (value, attributes = {}) => void collected.push({ instrument, value, attributes }),
      });
    }
    return collected;
  }

  [Symbol.dispose](): void {
    metrics.disable();
    trace.disable();
  }

  /** As a tracer does. */
  startSpan(name: string, options: SpanOptions = {}): Span {
    const attributes: Attributes = { ...options.attributes };
    const id = ++this.#started;
    const recorded: RecordedSpan = {
      name,
      attributes,
      spanContext: {
        traceId: id.toString(16).padStart(32, '0'),
        spanId: id.toString(16).padStart(16, '0'),
        traceFlags: TraceFlags.SAMPLED,
      },
      links: options.links ?? [],
      events: [],
      status: undefined,
      ended: false,
    };
    this.spans.push(recorded);
    const noop = new ProxyTracerProvider().getTracer('noop').startSpan(name);
    return Object.assign(noop, {
      setAttribute: (key: string, value: Attributes[string]) => {
        attributes[key] = value;
        return noop;
      },
      setAttributes: (more: Attributes) => {
        Object.assign(attributes, more);
        return noop;
      },
      spanContext: () => recorded.spanContext,
      addEvent: (event: string, more: Attributes = {}) => {
        recorded.events.push({ name: event, attributes: more });
        return noop;
      },
      setStatus: (status: SpanStatus) => {
        recorded.status = status;
        return noop;
      },
      end: () => {
        recorded.ended = true;
      },
    });
  }
}
