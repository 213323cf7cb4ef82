import { type Attributes, createNoopMeter, metrics } from '@opentelemetry/api';

type Callback = (result: { observe(value: number, attributes: Attributes): void }) => void;

/** Keeps what counters add up to and reads gauges when asked, from its construction until it is disposed. */
export class MemoryMeter implements Disposable {
  readonly #totals = new Map<string, number>();
  readonly #callbacks = new Map<string, Set<Callback>>();

  constructor() {
    const createCounter = (name: string) => ({
      add: (value: number, attributes: Attributes = {}) => {
        const key = `${name} ${JSON.stringify(attributes)}`;
        this.#totals.set(key, (this.#totals.get(key) ?? 0) + value);
      },
    });
    const createObservableGauge = (name: string) => {
      const callbacks = new Set<Callback>();
      this.#callbacks.set(name, callbacks);
      return {
        addCallback: (callback: Callback) => void callbacks.add(callback),
        removeCallback: (callback: Callback) => void callbacks.delete(callback),
      };
    };
    const meter = Object.assign(createNoopMeter(), { createCounter, createObservableGauge });
    metrics.setGlobalMeterProvider({ getMeter: () => meter });
  }

  total(name: string, attributes: Attributes): number | undefined {
    return this.#totals.get(`${name} ${JSON.stringify(attributes)}`);
  }

  read(name: string): [number, Attributes][] {
    const observed: [number, Attributes][] = [];
    const observe = (value: number, attributes: Attributes) => void observed.push([value, attributes]);
    for (const callback of this.#callbacks.get(name) ?? []) callback({ observe });
    return observed;
  }

  [Symbol.dispose](): void {
    metrics.disable();
  }
}
