import { context, metrics, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor, type SpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { PrometheusReader } from './prometheus-reader.ts';

/** What telemetry is called and where it goes. */
export interface TelemetryOptions {
  readonly serviceVersion: string;
  /** Base URL of a collector. Absent: spans exist, for the ids in logs, and go nowhere. */
  readonly otlpEndpoint?: string;
  /** Also given each span. */
  readonly spanProcessors?: readonly SpanProcessor[];
}

/** The OpenTelemetry SDK of this process. Disposal flushes spans and takes the global providers away. */
export interface Telemetry extends AsyncDisposable {
  /** Metrics in the Prometheus text format. */
  metricsText(): Promise<string>;
}

const SERVICE_NAME = 'reattach';

/** Installs the global tracer, meter and context providers. Call it before instruments are created. */
export function startTelemetry({
  serviceVersion,
  otlpEndpoint,
  spanProcessors = [],
}: TelemetryOptions): Telemetry {
  const resource = resourceFromAttributes({
    'service.name': SERVICE_NAME,
    'service.version': serviceVersion,
  });
  const reader = new PrometheusReader();
  const meterProvider = new MeterProvider({ resource, readers: [reader] });
  const exporting =
    otlpEndpoint === undefined
      ? []
      : [new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url: `${otlpEndpoint}/v1/traces` }) })];
  const tracerProvider = new TracerProvider({ resource, spanProcessors: [...spanProcessors, ...exporting] });
  const contextManager = new AsyncLocalStorageContextManager().enable();
  context.setGlobalContextManager(contextManager);
  trace.setGlobalTracerProvider(tracerProvider);
  metrics.setGlobalMeterProvider(meterProvider);
  return {
    metricsText: () => reader.text(),
    async [Symbol.asyncDispose]() {
      await tracerProvider.shutdown();
      await meterProvider.shutdown();
      trace.disable();
      metrics.disable();
      context.disable();
    },
  };
}
