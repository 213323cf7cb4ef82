import { describe, expect, it } from 'vitest';
import { Lab } from './support/lab.ts';
import { OtlpReceiver, type ReceivedSpan } from './support/otlp-receiver.ts';
import { spanTree } from './support/span-tree.ts';

const LOST = 'node-a';

/** Steps of a release in mode `fence`, in the order in which they begin. */
const STEPS = [
  'notice lost node',
  'observe storage',
  'decide node',
  'fence node',
  'exec add fence',
  'release node',
  'delete pod',
  'k8s delete pod',
  'remove volumes in use',
  'k8s remove volumes in use',
];

/** `from` and every span it goes back to by its links, with all that is below them. */
function way(from: ReceivedSpan, spans: readonly ReceivedSpan[]): readonly ReceivedSpan[] {
  const traceIds = new Set([from.traceId]);
  for (const traceId of traceIds) {
    for (const { links } of spans.filter((span) => span.traceId === traceId)) {
      for (const link of links) traceIds.add(link.traceId);
    }
  }
  return spans.filter(({ traceId }) => traceIds.has(traceId));
}

/** Without the passes that only waited, except the first. */
function telling(spans: readonly ReceivedSpan[]): readonly ReceivedSpan[] {
  const [first] = spans.filter(({ name }) => name === 'reconcile attachments');
  const acts = spans.filter(({ name }) => /^(notice|fence|release) .*node$/.test(name));
  const traceIds = new Set([first, ...acts].map((span) => span?.traceId));
  return spans.filter(({ traceId }) => traceIds.has(traceId));
}

describe('a release, exported over OTLP/HTTP', () => {
  it('shows the whole way by parents and links, with timings and evidence', async () => {
    await using receiver = await OtlpReceiver.start();
    await using lab = await Lab.start();
    const controller = await lab.ready({ 'otlp-endpoint': receiver.endpoint });
    lab.world.node(LOST).kubelet.stop();
    await lab.failedOver(LOST);
    await controller.stop();

    const release = receiver.spans.find(({ name }) => name === 'release node');
    const passOf = (span: ReceivedSpan | undefined) =>
      receiver.spans.find((each) => each.traceId === span?.traceId && each.parentSpanId === undefined);
    const pass = passOf(release);
    if (!release || !pass) throw new TypeError(`Expected a release, got ${spanTree(receiver.spans)}`);
    expect(pass.name).toBe('reconcile attachments');
    const whole = way(pass, receiver.spans).toSorted((a, b) => a.startMs - b.startMs);
    const beginnings = STEPS.map((step) => whole.findIndex(({ name }) => name === step));
    const seen = STEPS.filter((_step, index) => (beginnings[index] ?? -1) >= 0);
    expect(seen).toEqual(STEPS);
    expect(beginnings).toEqual(beginnings.toSorted((a, b) => a - b));
    for (const { startMs, endMs } of whole) expect(endMs).toBeGreaterThanOrEqual(startMs);

    expect(release.attributes).toMatchObject({
      'k8s.node.name': LOST,
      'reattach.evidence': expect.stringMatching(/^(live|silent)$/),
      'reattach.evidence.detail': expect.any(String),
      'reattach.evidence.observed_at': expect.any(String),
      'reattach.fence.state': 'effective',
      'reattach.decision.rule': 'mode-fence',
      'reattach.decision.why': expect.stringContaining('fence effective'),
      'reattach.volumes': [expect.any(String), expect.any(String)],
    });
    const shown = whole.flatMap(({ name, events }) => events.map((event) => `${name}: ${event.name}`));
    expect(new Set(shown)).toEqual(new Set(['observe storage: evidence', 'decide node: decision']));
    expect(receiver.metricNames).toContain('reattach.attachment.releases');
    if (process.env['SHOW_TRACE']) process.stdout.write(`${spanTree(telling(whole))}\n`);
  });
});
