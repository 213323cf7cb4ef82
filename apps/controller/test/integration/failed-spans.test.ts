import { SpanStatusCode } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { describe, expect, it } from 'vitest';
import { Lab } from './support/lab.ts';

const LOST = 'node-a';

/** In a file of its own: a tracer that was handed out stays with the first provider of its process. */
describe('the spans of what failed in a fail-over', () => {
  it('say so with a code', async () => {
    await using lab = await Lab.start();
    const exporter = new InMemorySpanExporter();
    await lab.ready({}, [new SimpleSpanProcessor({ exporter })]);
    lab.world.kube.faults.add({ method: 'DELETE' }, { kind: 'reset' });
    lab.world.rds.faults.onCommand(/address-list\/add/, { kind: 'cut', afterBytes: 0 });
    lab.world.node(LOST).kubelet.stop();
    await lab.failedOver(LOST);
    const failed = exporter
      .getFinishedSpans()
      .filter(({ attributes }) => attributes['error.type'] !== undefined);
    const found = failed.map(({ name, attributes, status }) => [name, attributes['error.type'], status.code]);
    expect(found).toContainEqual(['exec add fence', 'UNAVAILABLE', SpanStatusCode.ERROR]);
    expect(found).toContainEqual(['k8s delete pod', 'UNAVAILABLE', SpanStatusCode.ERROR]);
    expect(found.every(([, , code]) => code === SpanStatusCode.ERROR)).toBe(true);
  });
});
