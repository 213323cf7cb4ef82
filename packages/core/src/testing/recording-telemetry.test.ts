import {
  isSpanContextValid,
  metrics,
  type ObservableResult,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import { RecordingTelemetry } from './recording-telemetry.ts';

describe('RecordingTelemetry', () => {
  it('keeps what counters and histograms measure', () => {
    using telemetry = new RecordingTelemetry();
    const meter = metrics.getMeter('test');
    meter.createCounter('passes').add(1, { result: 'ok' });
    meter.createHistogram('duration').record(0.5);
    expect(telemetry.measurements).toEqual([
      { instrument: 'passes', value: 1, attributes: { result: 'ok' } },
      { instrument: 'duration', value: 0.5, attributes: {} },
    ]);
  });

  it('sums the measurements of an instrument that carry the attributes', () => {
    using telemetry = new RecordingTelemetry();
    const counter = metrics.getMeter('test').createCounter('passes');
    counter.add(0, { result: 'failed' });
    counter.add(2, { result: 'ok', reason: 'manual' });
    counter.add(3, { result: 'ok' });
    metrics.getMeter('test').createCounter('peers').add(10, { result: 'ok' });
    expect(telemetry.total('passes')).toBe(5);
    expect(telemetry.total('passes', { result: 'ok', reason: 'manual' })).toBe(2);
    expect(telemetry.total('passes', { result: 'failed' })).toBe(0);
    expect(telemetry.total('passes', { result: 'aborted' })).toBeUndefined();
  });

  it('reads observable gauges on request, until their callbacks are removed', async () => {
    using telemetry = new RecordingTelemetry();
    let value = 1;
    const gauge = metrics.getMeter('test').createObservableGauge('nodes');
    const callback = (result: ObservableResult) => {
      result.observe(value, { state: 'lost' });
      result.observe(0);
    };
    gauge.addCallback(callback);
    value = 2;
    expect(await telemetry.collect()).toEqual([
      { instrument: 'nodes', value: 2, attributes: { state: 'lost' } },
      { instrument: 'nodes', value: 0, attributes: {} },
    ]);
    gauge.removeCallback(callback);
    expect([await telemetry.collect(), telemetry.measurements]).toEqual([[], []]);
  });

  it('keeps spans with name, attributes, status and whether they ended', () => {
    using telemetry = new RecordingTelemetry();
    const tracer = trace.getTracer('test');
    const span = tracer.startSpan('one', { attributes: { a: 1 } });
    span.setAttribute('b', 2).setAttributes({ c: 3 }).setStatus({ code: SpanStatusCode.ERROR });
    expect(telemetry.spans).toMatchObject([
      { name: 'one', attributes: { a: 1, b: 2, c: 3 }, status: { code: SpanStatusCode.ERROR }, ended: false },
    ]);
    span.end();
    expect(telemetry.spans[0]?.ended).toBe(true);
  });

  it('keeps events and links of spans, which have ids of their own', () => {
    using telemetry = new RecordingTelemetry();
    const tracer = trace.getTracer('test');
    const one = tracer.startSpan('one');
    const links = [{ context: one.spanContext() }];
    tracer.startSpan('two', { links }).addEvent('said', { a: 1 });
    expect(isSpanContextValid(one.spanContext())).toBe(true);
    expect(telemetry.spans[1]?.spanContext).not.toEqual(one.spanContext());
    expect(telemetry.spans[1]).toMatchObject({ links, events: [{ name: 'said', attributes: { a: 1 } }] });
  });

  it('runs the body of an active span, with and without options, and hands back its result', () => {
    using telemetry = new RecordingTelemetry();
    const tracer = trace.getTracer('test');
    expect(tracer.startActiveSpan('plain', () => 'a')).toBe('a');
    const result = tracer.startActiveSpan('attributed', { attributes: { x: 1 } }, (span) => {
      span.end();
      return 'b';
    });
    expect(result).toBe('b');
    expect(telemetry.spans).toMatchObject([
      { name: 'plain', attributes: {}, ended: false },
      { name: 'attributed', attributes: { x: 1 }, ended: true },
    ]);
  });

  it('keeps spans apart that are open at the same time', () => {
    using telemetry = new RecordingTelemetry();
    const tracer = trace.getTracer('test');
    const outer = tracer.startSpan('outer');
    const inner = tracer.startSpan('inner');
    outer.setAttribute('a', 1).end();
    expect(telemetry.spans).toMatchObject([
      { name: 'outer', attributes: { a: 1 }, ended: true },
      { name: 'inner', attributes: {}, ended: false },
    ]);
    inner.end();
    expect(telemetry.spans[1]?.ended).toBe(true);
  });

  it('makes way for the next once disposed', () => {
    const first = new RecordingTelemetry();
    first[Symbol.dispose]();
    trace.getTracer('test').startSpan('unheard').end();
    using second = new RecordingTelemetry();
    metrics.getMeter('test').createCounter('passes').add(1);
    trace.getTracer('test').startSpan('one').end();
    expect([first.measurements, first.spans]).toEqual([[], []]);
    expect([second.total('passes'), second.spans.length]).toEqual([1, 1]);
  });
});
