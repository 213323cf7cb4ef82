import { context, metrics, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, type MetricReader, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor, type SpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { type Logger, silentLogger } from '@reattach/core';
import { PrometheusReader } from './prometheus-reader.ts';
import { reporting } from './reporting-exporter.ts';

/** What telemetry is called and where it goes. */
export interface TelemetryOptions {
  readonly serviceVersion: string;
  /** Base URL of a collector. Absent: spans exist, for the ids in logs, and go nowhere; metrics are there to be scraped. */
  readonly otlpEndpoint?: string;
  /** Logs when exports begin to fail and when they succeed again; default: silent. */
  readonly logger?: Logger;
  /** Also given each span. */
  readonly spanProcessors?: readonly SpanProcessor[];
}

/** The OpenTelemetry SDK of this process. Disposal flushes spans and takes the global providers away. */
export interface Telemetry extends AsyncDisposable {
  /** Metrics in the Prometheus text format. */
  metricsText(): Promise<string>;
}

const SERVICE_NAME = 'reattach';

/** Longest time for one export, ms: a stop waits for the last one. */
const EXPORT_TIMEOUT_MS = 3_000;

/** Time between two exports of metrics, ms. */
const METRICS_INTERVAL_MS = 60_000;

/** Installs the global tracer, meter and context providers. Call it before instruments are created. */
export function startTelemetry({
  serviceVersion,
  otlpEndpoint,
  logger = silentLogger,
  spanProcessors = [],
}: TelemetryOptions): Telemetry {
  const resource = resourceFromAttributes({
    'service.name': SERVICE_NAME,
    'service.version': serviceVersion,
  });
  const reader = new PrometheusReader();
  const meterProvider = new MeterProvider({
    resource,
    readers: [reader, ...(otlpEndpoint === undefined ? [] : [metricsTo(otlpEndpoint, logger)])],
  });
  const exporting = otlpEndpoint === undefined ? [] : [tracesTo(otlpEndpoint, logger)];
  const tracerProvider = new TracerProvider({ resource, spanProcessors: [...spanProcessors, ...exporting] });
  const contextManager = new AsyncLocalStorageContextManager().enable();
  context.setGlobalContextManager(contextManager);
  trace.setGlobalTracerProvider(tracerProvider);
  metrics.setGlobalMeterProvider(meterProvider);
  return {
    metricsText: () => reader.text(),
    async [Symbol.asyncDispose]() {
      // At once, and whatever becomes of the last exports: a collector that is away must not use up the time for a stop.
      await Promise.allSettled([tracerProvider.shutdown(), meterProvider.shutdown()]);
      trace.disable();
      metrics.disable();
      context.disable();
    },
  };
}

function tracesTo(endpoint: string, logger: Logger): SpanProcessor {
  const exporter = new OTLPTraceExporter({ url: `${endpoint}/v1/traces`, timeoutMillis: EXPORT_TIMEOUT_MS });
  return new BatchSpanProcessor({ exporter: reporting(exporter, 'traces', logger) });
}

function metricsTo(endpoint: string, logger: Logger): MetricReader {
  const exporter = new OTLPMetricExporter({
    url: `${endpoint}/v1/metrics`,
    timeoutMillis: EXPORT_TIMEOUT_MS,
  });
  return new PeriodicExportingMetricReader({
    exporter: reporting(exporter, 'metrics', logger),
    exportIntervalMillis: METRICS_INTERVAL_MS,
    exportTimeoutMillis: EXPORT_TIMEOUT_MS,
  });
}
