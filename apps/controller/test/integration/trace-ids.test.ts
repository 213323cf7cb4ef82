import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { describe, expect, it } from 'vitest';
import { compose } from '../../src/compose.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { Lab } from './support/lab.ts';
import { runWhile } from './support/pace.ts';

const LOST = 'node-a';

/** In a file of its own: a tracer that was handed out stays with the first provider of its process. */
describe('log lines of a fail-over', () => {
  it('carry the trace of the pass that they describe, or of its trigger', async () => {
    await using lab = await Lab.start();
    const exporter = new InMemorySpanExporter();
    const lines: Record<string, unknown>[] = [];
    const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
    const logger = createLogger({ level: 'info', format: 'json', destination });
    const spanProcessors = [new SimpleSpanProcessor({ exporter })];
    const controller = compose(lab.configure(), { logger, clock: lab.clock, spanProcessors });
    const stop = new AbortController();
    const running = controller.run(stop.signal);
    await lab.until('the controller to be ready', () => controller.ready().ok);
    await lab.runFor(1_000);
    lab.world.node(LOST).kubelet.stop();
    await lab.failedOver(LOST);
    await lab.runFor(100);
    const spans = exporter.getFinishedSpans();
    stop.abort();
    await runWhile(lab.clock, running);

    const traceOf = (name: string) => spans.find((span) => span.name === name)?.spanContext().traceId;
    for (const [message, span] of [
      ['Lost Node', 'notice lost node'],
      ['Fenced node', 'fence node'],
      ['Deleted pod', 'delete pod'],
      ['Released stale attachment', 'release node'],
    ] as const) {
      const line = lines.find(({ msg }) => msg === message);
      expect(line).toMatchObject({ traceId: traceOf(span), spanId: expect.any(String) });
    }
    expect(lines.find(({ msg }) => msg === 'Started')).not.toHaveProperty('traceId');
  });
});
