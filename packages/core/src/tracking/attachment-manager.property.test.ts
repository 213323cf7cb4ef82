import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CoreError } from '../model/errors.ts';
import { persistentVolumeFact, TEST_ATTACHER, volumeAttachmentFact } from '../testing/fact-builders.ts';
import { FakeAttachmentStore } from '../testing/fake-attachment-store.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { AttachmentManager } from './attachment-manager.ts';

/** Whose attachments the store cannot write. */
const UNWRITABLE_NODE = 'node-unwritable';

const NODES = ['node-a', 'node-b', 'node-c', UNWRITABLE_NODE] as const;
const VOLUMES = ['vol-1', 'vol-2'] as const;
const MODES = [['ReadWriteOnce'], ['ReadWriteMany']] as const;

const operation = fc.record({
  kind: fc.constantFrom('track' as const, 'add' as const, 'remove' as const, 'untrack' as const),
  volumeHandle: fc.constantFrom(...VOLUMES),
  nodeName: fc.constantFrom(...NODES),
  accessModes: fc.constantFrom(...MODES),
  /** Microtask turns its store writes take, when operations run all at once. */
  turns: fc.nat(8),
});

type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

function perform(manager: AttachmentManager, op: Operation): Promise<string> {
  const { signal } = new AbortController();
  const { volumeHandle, nodeName, accessModes } = op;
  const done = {
    track: () => manager.trackAttachment(volumeHandle, nodeName, { accessModes }, signal),
    add: () => manager.addSecondaryAttachment(volumeHandle, nodeName, {}, signal),
    remove: () => manager.removeNodeAttachment(volumeHandle, nodeName, signal),
    untrack: () => manager.untrackAttachment(volumeHandle, signal),
  }[op.kind]();
  return done.then(
    (result) => result ?? 'done',
    (err: unknown) => (err instanceof CoreError ? err.code : String(err)),
  );
}

function newManager(turnsOfWrite: () => number) {
  const store = new FakeAttachmentStore();
  store.before = async (call) => {
    for (let turn = turnsOfWrite(); turn > 0; turn--) await Promise.resolve();
    if (call.kind === 'set' && call.nodeName === UNWRITABLE_NODE) throw new Error('unwritable');
  };
  return { store, manager: new AttachmentManager({ clock: new FakeClock(), store }) };
}

/** What the manager must say, in the plainest way: nodes by volume, primary first. */
class Model {
  readonly nodes = new Map<string, string[]>();
  readonly #modes = new Map<string, readonly string[]>();

  perform({ kind, volumeHandle, nodeName, accessModes }: Operation): string {
    const held = this.nodes.get(volumeHandle) ?? [];
    switch (kind) {
      case 'track':
        if (held.includes(nodeName)) return 'done';
        if (held.length > 0) return 'ATTACHMENT_CONFLICT';
        if (nodeName === UNWRITABLE_NODE) return 'STORE_FAILED';
        this.nodes.set(volumeHandle, [nodeName]);
        this.#modes.set(volumeHandle, accessModes);
        return 'done';
      case 'add':
        if (held.length === 0) return 'NOT_ATTACHED';
        if (held.includes(nodeName)) return 'done';
        if (!this.#modes.get(volumeHandle)?.includes('ReadWriteMany')) return 'ATTACHMENT_CONFLICT';
        if (held.length === 2) return 'MIGRATION_LIMIT';
        held.push(nodeName);
        return 'done';
      case 'remove': {
        if (!held.includes(nodeName)) return 'not-attached';
        const left = held.filter((name) => name !== nodeName);
        if (left.length > 0) this.nodes.set(volumeHandle, left);
        else this.nodes.delete(volumeHandle);
        return left.length > 0 ? 'others-left' : 'last';
      }
      case 'untrack':
        this.nodes.delete(volumeHandle);
    }
    return 'done';
  }
}

const attachment = fc.record({
  persistentVolumeName: fc.constantFrom('pv-1', 'pv-2'),
  nodeName: fc.constantFrom(...NODES),
  attached: fc.boolean(),
  attacher: fc.constantFrom(TEST_ATTACHER, 'other.csi.example.com'),
  createdAtMs: fc.integer({ min: 0, max: 5 }),
});

const volumes = new Map(
  [
    persistentVolumeFact({ name: 'pv-1', accessModes: ['ReadWriteOnce'] }),
    persistentVolumeFact({ name: 'pv-2', accessModes: ['ReadWriteMany'] }),
  ].map((volume) => [volume.name, volume]),
);

function rebuild(manager: AttachmentManager, facts: readonly ReturnType<typeof volumeAttachmentFact>[]) {
  manager.rebuild(facts, (name) => volumes.get(name), TEST_ATTACHER);
  return manager.attachments().toSorted((left, right) => (left.volumeHandle < right.volumeHandle ? -1 : 1));
}

describe('AttachmentManager', () => {
  it('does the same with operations called all at once as with one after the other, however slow the store', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 30 }), async (plan) => {
        const model = new Model();
        const expected = plan.map((op) => model.perform(op));
        let write = 0;
        const { manager, store } = newManager(() => plan[write++ % plan.length]?.turns ?? 0);
        expect(await Promise.all(plan.map((op) => perform(manager, op)))).toEqual(expected);
        const nodes = manager.attachments().map(({ volumeHandle, nodeNames }) => [volumeHandle, nodeNames]);
        expect(Object.fromEntries(nodes)).toEqual(Object.fromEntries(model.nodes));
        expect(manager.lockedVolumes).toBe(0);
        expect([...store.records.keys()].toSorted()).toEqual([...model.nodes.keys()].toSorted());
      }),
      { numRuns: 500 },
    );
  });

  it('is in a migration exactly while a volume has two nodes, and never has more', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 30 }), async (plan) => {
        const { manager } = newManager(() => 0);
        for (const op of plan) {
          await perform(manager, op);
          for (const { nodeNames, migration } of manager.attachments()) {
            expect(new Set(nodeNames).size).toBe(nodeNames.length);
            expect([1, 2]).toContain(nodeNames.length);
            expect(migration !== undefined).toBe(nodeNames.length === 2);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('rebuilds the same from VolumeAttachments in any order, whatever it knew before', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(attachment, {
          maxLength: 10,
          selector: (fact) => `${fact.persistentVolumeName} ${fact.nodeName}`,
        }),
        fc.array(attachment, { maxLength: 10 }),
        fc.func(fc.nat()),
        (facts, earlier, shuffle) => {
          const list = facts.map(volumeAttachmentFact);
          const fresh = rebuild(newManager(() => 0).manager, list);
          const { manager } = newManager(() => 0);
          rebuild(manager, earlier.map(volumeAttachmentFact));
          const shuffled = list.toSorted((left, right) => shuffle(left.name) - shuffle(right.name));
          expect(rebuild(manager, shuffled)).toEqual(fresh);
          for (const { volumeHandle, nodeNames, migration } of fresh) {
            const ours = list.filter(
              (fact) =>
                fact.attached &&
                fact.attacher === TEST_ATTACHER &&
                `handle-of-${fact.persistentVolumeName}` === volumeHandle,
            );
            expect(nodeNames).toHaveLength(Math.min(ours.length, 2));
            const dropped = ours.filter((fact) => !nodeNames.some((name) => name === fact.nodeName));
            const kept = ours.filter((fact) => !dropped.includes(fact));
            for (const { createdAtMs } of dropped) {
              expect(createdAtMs).toBeGreaterThanOrEqual(Math.max(...kept.map((fact) => fact.createdAtMs)));
            }
            const migrating = nodeNames.length === 2 && volumeHandle === 'handle-of-pv-2';
            expect(migration !== undefined).toBe(migrating);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
