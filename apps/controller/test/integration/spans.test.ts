import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { describe, expect, it } from 'vitest';
import { Lab } from './support/lab.ts';

const LOST = 'node-a';
const ISO_TIME: unknown = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);

/** The trees of the passes that did something, each path from the root to a span once. */
const TREES = [
  'reconcile attachments',
  'reconcile attachments > decide node',
  'reconcile attachments > fence node',
  'reconcile attachments > fence node > exec add fence',
  'reconcile attachments > fence node > exec read fences',
  'reconcile attachments > fence node > k8s get node',
  'reconcile attachments > k8s create event',
  'reconcile attachments > observe storage',
  'reconcile attachments > observe storage > exec read backend',
  'reconcile attachments > observe storage > exec read sessions',
  'reconcile attachments > release node',
  'reconcile attachments > release node > delete pod',
  'reconcile attachments > release node > delete pod > k8s delete pod',
  'reconcile attachments > release node > delete pod > k8s get pod',
  'reconcile attachments > release node > k8s get node',
  'reconcile attachments > release node > remove volumes in use',
  'reconcile attachments > release node > remove volumes in use > k8s get node',
  'reconcile attachments > release node > remove volumes in use > k8s remove volumes in use',
];

function pathOf(span: ReadableSpan, spans: readonly ReadableSpan[]): string {
  const parent = spans.find((each) => each.spanContext().spanId === span.parentSpanContext?.spanId);
  return parent ? `${pathOf(parent, spans)} > ${span.name}` : span.name;
}

describe('the spans of a fail-over', () => {
  it('form one tree a pass, from the pass to the requests and commands, and carry the evidence', async () => {
    await using lab = await Lab.start();
    const exporter = new InMemorySpanExporter();
    const controller = await lab.ready({}, [new SimpleSpanProcessor({ exporter })]);
    lab.world.node(LOST).kubelet.stop();
    await lab.failedOver(LOST);
    const spans = exporter.getFinishedSpans();
    const named = (name: string) => spans.filter((span) => span.name === name);
    const acting = new Set(
      [...named('fence node'), ...named('release node')].map((span) => span.spanContext().traceId),
    );
    expect(acting.size).toBe(2); // a fence is read back by a later pass
    const ofThem = spans.filter((span) => acting.has(span.spanContext().traceId));
    expect([...new Set(ofThem.map((span) => pathOf(span, spans)))].toSorted()).toEqual(TREES);

    const uid = lab.world.kube.store.get('Node', LOST)?.metadata.uid;
    const [fence] = named('fence node');
    const [release] = named('release node');
    const decided = {
      'k8s.node.name': LOST,
      'k8s.node.uid': uid,
      'reattach.node.state': 'not-ready',
      'reattach.storage.backend': '127.0.0.1',
      'reattach.node.lost_since': ISO_TIME,
      'reattach.evidence': expect.stringMatching(/^(live|silent)$/),
      'reattach.evidence.detail': expect.any(String),
      'reattach.evidence.observed_at': ISO_TIME,
      'reattach.evidence.last_activity': ISO_TIME,
      'reattach.volumes': [expect.any(String), expect.any(String)],
      'reattach.decision.rule': 'mode-fence',
    };
    expect(fence?.attributes).toMatchObject({
      ...decided,
      'reattach.fence.state': 'open',
      'reattach.decision.why': expect.stringMatching(/^Node has been NotReady for .* s; /),
    });
    const [{ fields }] = controller.logged('Fenced node') as [ReturnType<typeof controller.logged>[number]];
    const { id } = fields['fence'] as { readonly id: string };
    expect(release?.attributes).toMatchObject({
      ...decided,
      'reattach.fence.state': 'effective',
      'reattach.fence.id': id,
      'reattach.decision.why': expect.stringMatching(new RegExp(`fence effective: .*\\(fence ${id}\\)$`)),
    });
    for (const name of ['exec add fence', 'k8s delete pod', 'k8s remove volumes in use']) {
      const [span] = named(name);
      expect(span?.attributes).toMatchObject({
        'server.address': '127.0.0.1',
        'server.port': expect.any(Number),
      });
    }
    const [deleted] = named('delete pod');
    expect(deleted?.attributes).toMatchObject({
      'k8s.namespace.name': 'default',
      'k8s.node.name': LOST,
      'k8s.pod.name': expect.stringMatching(/^db-/),
      'k8s.pod.uid': expect.any(String),
      'reattach.write.result': 'deleted',
    });
  });
});
