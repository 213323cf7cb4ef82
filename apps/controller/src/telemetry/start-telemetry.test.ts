import { once } from 'node:events';
import { createServer } from 'node:http';
import { context, metrics, trace } from '@opentelemetry/api';
import { RecordingLogger } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { startTelemetry } from './start-telemetry.ts';

/** `name` of each `# TYPE name type` line. */
function exposedNames(text: string): readonly string[] {
  return [...text.matchAll(/^# TYPE (\S+) /gm)].map((match) => match[1] ?? '');
}

describe('startTelemetry', () => {
  it('exposes names that end in their unit, and counters in _total', async () => {
    await using telemetry = startTelemetry({ serviceVersion: '1.2.3' });
    const meter = metrics.getMeter('test');
    meter.createHistogram('test.pass.duration', { unit: 's', description: 'd' }).record(1);
    meter.createUpDownCounter('test.cache.size', { unit: 'By', description: 'd' }).add(1);
    meter.createCounter('test.pass.runs', { unit: '{run}', description: 'd' }).add(1);
    meter.createCounter('test.busy', { unit: 's', description: 'd' }).add(1);
    meter.createGauge('test.age.seconds', { unit: 's', description: 'd' }).record(1);
    expect(exposedNames(await telemetry.metricsText())).toEqual([
      'target_info',
      'test_pass_duration_seconds',
      'test_cache_size_bytes',
      'test_pass_runs_total',
      'test_busy_seconds_total',
      'test_age_seconds',
    ]);
  });

  it('names service and version', async () => {
    await using telemetry = startTelemetry({ serviceVersion: '1.2.3' });
    expect(await telemetry.metricsText()).toContain(
      'target_info{service_name="reattach",service_version="1.2.3"} 1',
    );
  });

  it('sends spans and metrics to the collector when disposed, and takes the providers away', async () => {
    const paths: string[] = [];
    await using collector = createServer((request, response) => {
      paths.push(request.url ?? '');
      request
        .resume()
        .on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
    });
    collector.listen(0, '127.0.0.1');
    await once(collector, 'listening');
    const address = collector.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const telemetry = startTelemetry({ serviceVersion: '0.0.0', otlpEndpoint: `http://127.0.0.1:${port}` });
    trace.getTracer('test').startSpan('reconcile attachments').end();
    metrics.getMeter('test').createCounter('test.sent', { description: 'd' }).add(1);
    expect(paths).toEqual([]);
    await telemetry[Symbol.asyncDispose]();
    expect(paths.toSorted()).toEqual(['/v1/metrics', '/v1/traces']);
    expect(trace.getTracer('test').startSpan('later').isRecording()).toBe(false);
    expect(context.active()).toBeDefined();
    collector.closeAllConnections();
  });

  it('says that a collector is away, and stops all the same', { timeout: 30_000 }, async () => {
    const logger = new RecordingLogger();
    const otlpEndpoint = 'http://127.0.0.1:1'; // nothing listens there
    const telemetry = startTelemetry({ serviceVersion: '0.0.0', otlpEndpoint, logger });
    trace.getTracer('test').startSpan('reconcile attachments').end();
    metrics.getMeter('test').createCounter('test.sent', { description: 'd' }).add(1);
    await telemetry[Symbol.asyncDispose]();
    const logged = logger.lines.map(({ level, message, fields }) =>
      [level, message, fields['signal']].join(),
    );
    expect(logged.toSorted()).toEqual([
      'warn,Telemetry was not exported,metrics',
      'warn,Telemetry was not exported,traces',
    ]);
  });

  it('can be started again after disposal', async () => {
    await startTelemetry({ serviceVersion: '0.0.0' })[Symbol.asyncDispose]();
    await using telemetry = startTelemetry({ serviceVersion: '0.0.0' });
    metrics.getMeter('test').createCounter('test.again', { description: 'd' }).add(1);
    expect(await telemetry.metricsText()).toContain('test_again_total');
  });
});
