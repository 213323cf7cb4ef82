import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import {
  type CollectionResult,
  type MetricData,
  MetricReader,
  type ScopeMetrics,
} from '@opentelemetry/sdk-metrics';

/** Unit suffixes Prometheus expects. Annotations such as `{detachment}` and `1` add none. */
const UNIT_SUFFIXES: Readonly<Record<string, string>> = { s: 'seconds', ms: 'milliseconds', By: 'bytes' };

/**
 * Serves metrics on demand in the Prometheus text format, under names that end in their unit.
 * The exporter's own reader knows only `_total`; renaming here needs no list of instruments that could fall behind.
 */
export class PrometheusReader extends MetricReader {
  readonly #serializer = new PrometheusSerializer();

  /** Collects and serialises. @throws {Error} when an observable instrument failed. */
  async text(): Promise<string> {
    const { resourceMetrics, errors }: CollectionResult = await this.collect();
    if (errors.length > 0) throw new AggregateError(errors, 'Metrics could not be collected');
    const scopeMetrics = resourceMetrics.scopeMetrics.map(withUnits);
    return this.#serializer.serialize({ ...resourceMetrics, scopeMetrics });
  }

  protected override async onForceFlush(): Promise<void> {
    // Pulled, never pushed: nothing is waiting.
  }

  protected override async onShutdown(): Promise<void> {
    // Holds no socket and no timer.
  }
}

function withUnits({ scope, metrics }: ScopeMetrics): ScopeMetrics {
  return { scope, metrics: metrics.map(withUnit) };
}

function withUnit(metric: MetricData): MetricData {
  const { name, unit } = metric.descriptor;
  const suffix = UNIT_SUFFIXES[unit];
  if (suffix === undefined || name.endsWith(`.${suffix}`)) return metric;
  return { ...metric, descriptor: { ...metric.descriptor, name: `${name}.${suffix}` } };
}
