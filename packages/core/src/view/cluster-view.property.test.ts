import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideUntaints } from '../decide/cleanups.ts';
import { decide } from '../decide/decide.ts';
import { OUT_OF_SERVICE_TAINT } from '../model/out-of-service.ts';
import { ipAddresses } from '../model/storage-address.ts';
import { nodeFact, persistentVolumeFact, volumeAttachmentFact } from '../testing/fact-builders.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { FakeClusterReader } from '../testing/fake-cluster-reader.ts';
import { FakeStorageBackend, fakeFleet } from '../testing/fake-storage-backend.ts';
import { testPolicy } from '../testing/policy-builder.ts';
import { AttachmentManager } from '../tracking/attachment-manager.ts';
import { readClusterView, type ViewScope } from './cluster-view.ts';
import { NodeAbsence } from './node-absence.ts';
import { lostIn, queryAbout } from './storage-query.ts';

const OUT_OF_SERVICE = { key: OUT_OF_SERVICE_TAINT, value: 'test.csi.reattach.io', effect: 'NoExecute' };
const NODES = ['node-0', 'node-1', 'node-2', 'node-3'];

const node = fc.record({
  state: fc.constantFrom('ready', 'not-ready', 'gone'),
  tainted: fc.boolean(),
});
const attachment = fc.record({
  node: fc.constantFrom(...NODES),
  volume: fc.integer({ min: 0, max: 3 }),
  attacher: fc.constantFrom('ours', 'ours', 'ours', 'other.example'),
  inline: fc.constantFrom(false, false, true),
});
const scenario = fc.record({
  nodes: fc.array(node, { minLength: NODES.length, maxLength: NODES.length }),
  attachments: fc.array(attachment, { maxLength: 8 }),
  /** ReadWriteMany: a volume on two nodes may still be written to by the other. */
  shared: fc.boolean(),
  fenced: fc.boolean(),
  early: fc.boolean(),
  synced: fc.constantFrom(true, true, false),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer S> ? S : never;

/** Everything a pass makes of the view of one scope. */
async function passOver(given: Scenario, scope: ViewScope) {
  const { nodes, attachments, shared, fenced, early, synced } = given;
  const clock = new FakeClock();
  const cluster = new FakeClusterReader(clock);
  const lostSinceMs = clock.now() - 60_000;
  nodes.forEach(({ state, tainted }, index) => {
    const ready = state === 'ready';
    cluster.setNode(
      nodeFact({
        name: `node-${index}`,
        ready,
        ...(!ready && { readyObservedAtMs: lostSinceMs }),
        taints: tainted ? [OUT_OF_SERVICE] : [],
      }),
    );
    if (state === 'gone') cluster.removeNode(`node-${index}`);
  });
  for (let volume = 0; volume <= 3; volume++) {
    const accessModes = [shared ? 'ReadWriteMany' : 'ReadWriteOnce'];
    cluster.setPersistentVolume(persistentVolumeFact({ name: `pv-${volume}`, accessModes }));
  }
  attachments.forEach(({ node: nodeName, volume, attacher, inline }, index) => {
    const persistentVolumeName = `pv-${volume}`;
    const fact = volumeAttachmentFact({
      name: `va-${index}`,
      nodeName,
      persistentVolumeName,
      ...(attacher !== 'ours' && { attacher }),
    });
    if (inline) delete (fact as { persistentVolumeName?: string }).persistentVolumeName;
    cluster.setVolumeAttachment(fact);
  });
  cluster.synced = synced;
  const backend = new FakeStorageBackend(clock);
  const { signal } = new AbortController();
  for (const name of NODES) {
    backend.setSilent(name, lostSinceMs + 15_000, lostSinceMs);
    if (fenced)
      await backend.fence(
        { id: name, nodeName: name, fencedAtMs: 0, addresses: [] },
        ipAddresses([`address-of-${name}`]),
        signal,
      );
  }
  await clock.advance(1);
  const policy = testPolicy({ earlyDetection: { ...testPolicy().earlyDetection, enabled: early } });
  const absence = new NodeAbsence();
  const sources = {
    cluster,
    manager: new AttachmentManager({ clock }),
    absence,
    fleet: fakeFleet(backend),
    policy,
  };
  const unread = readClusterView(sources, clock.now(), scope);
  const query = queryAbout(unread, lostIn(unread), policy.attacher);
  const reading = await backend.observe(query, signal);
  const { attachments: _attachments, healthyCount, ...rest } = unread;
  const view = { ...unread, recentLosses: new Map(), storage: new Map([[backend.name, reading]]) };
  const plan = decide(view, policy, clock.now());
  const lost = plan.decisions.filter(({ node: { kind, name } }) => kind !== 'ready' && rest.nodes.has(name));
  return {
    listed: plan.decisions.length,
    healthyCount,
    matters: {
      rest,
      lost: lost.map(({ attachment: { name }, rule, verdict, fence }) => ({ name, rule, verdict, fence })),
      untaints: decideUntaints(view, policy, clock.now()),
      nextDeadlineMs: plan.nextDeadlineMs,
    },
  };
}

describe('readClusterView', () => {
  it('leaves out nothing of what a pass acts on, and nothing it waits for', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        expect((await passOver(given, 'affected')).matters).toEqual((await passOver(given, 'all')).matters);
      }),
      { numRuns: 500 },
    );
  });

  it('lists nothing while every node is ready', async () => {
    const nodes = NODES.map(() => ({ state: 'ready', tainted: false }) as const);
    const attachments = NODES.map(
      (name, volume) => ({ node: name, volume, attacher: 'ours', inline: false }) as const,
    );
    const given = { nodes, attachments, shared: true, fenced: false, early: false, synced: true };
    const idle = await passOver(given, 'affected');
    expect([idle.listed, idle.healthyCount, idle.matters.nextDeadlineMs]).toEqual([0, 4, undefined]);
  });
});
