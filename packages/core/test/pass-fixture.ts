import type { ReconcilePass } from '../src/loop/reconcile-pass.ts';
import type { NodeFact, Taint } from '../src/model/facts.ts';
import { FENCED_TAINT } from '../src/model/fenced-taint.ts';
import type { Policy } from '../src/model/policy.ts';
import type { TriggerReason } from '../src/model/trigger-reason.ts';
import type { PassHistory } from '../src/pass/pass-history.ts';
import type { PassReport } from '../src/pass/pass-report.ts';
import { ReleasePass, type ReleasePassOptions } from '../src/pass/release-pass.ts';
import {
  nodeFact,
  persistentVolumeFact,
  podFact,
  TEST_ATTACHER,
  volumeAttachmentFact,
} from '../src/testing/fact-builders.ts';
import { FakeClock } from '../src/testing/fake-clock.ts';
import { FakeClusterActions } from '../src/testing/fake-cluster-actions.ts';
import { FakeClusterReader } from '../src/testing/fake-cluster-reader.ts';
import { FakeStorageBackend, fakeFleet } from '../src/testing/fake-storage-backend.ts';
import { testPolicy } from '../src/testing/policy-builder.ts';
import { AttachmentManager } from '../src/tracking/attachment-manager.ts';

/** As this controller puts it on fenced nodes. */
const FENCED: Taint = { key: FENCED_TAINT, value: TEST_ATTACHER, effect: 'NoSchedule' };

/**
 * A pass over fakes. `node-a` has been NotReady and silent at `backend-a` for a minute, and fenced there for half a minute, with our taint;
 * `node-b` to `node-e` are Ready; `pv-a` is attached to `node-a` and used by `pod-a`. The fakes do not react to writes: a test
 * sets what it wants to happen.
 */
export class PassFixture {
  readonly clock: FakeClock;
  readonly cluster: FakeClusterReader;
  readonly actions: FakeClusterActions = new FakeClusterActions();
  readonly backend: FakeStorageBackend;
  readonly reports: PassReport[] = [];
  abort: AbortController = new AbortController();
  /** Throw to refuse the right to write. */
  assertHeld: () => void = () => undefined;
  readonly policy: Policy;
  readonly lost: NodeFact;
  readonly lostSinceMs: number;
  #pass: ReleasePass;
  /** How often work that outlasted a pass has requested the next one. */
  wakes = 0;
  #fences = 0;
  readonly #overrides: Partial<ReleasePassOptions>;

  constructor(
    policy: Partial<Policy> = {},
    overrides: Partial<ReleasePassOptions> = {},
    clock: FakeClock = new FakeClock(),
  ) {
    this.clock = clock;
    this.cluster = new FakeClusterReader(clock);
    this.backend = new FakeStorageBackend(clock);
    this.policy = testPolicy(policy);
    this.#overrides = overrides;
    this.lostSinceMs = this.clock.now() - 60_000;
    this.lost = nodeFact({ ready: false, readyObservedAtMs: this.lostSinceMs, taints: [FENCED] });
    this.setNode(this.lost);
    for (const name of ['node-b', 'node-c', 'node-d', 'node-e']) this.setNode(nodeFact({ name }));
    this.backend.setSilent('node-a', this.lostSinceMs + 15_000, this.lostSinceMs);
    this.attach('pv-a', 'node-a', 'pod-a');
    fenceAt(this.backend, this.clock.now() - 30_000);
    this.#pass = this.#newPass();
  }

  /** The same world in which `node-a` is not fenced yet. */
  static unfenced(...args: ConstructorParameters<typeof PassFixture>): PassFixture {
    const fixture = new PassFixture(...args);
    fixture.backend.fences.clear();
    return fixture;
  }

  /** In the cache and at the API server alike. */
  setNode(node: NodeFact): void {
    this.cluster.setNode(node);
    this.actions.setNode(node);
  }

  removeNode(name: string): void {
    this.cluster.removeNode(name);
    this.actions.removeNode(name);
  }

  /** A volume, its attachment and the pod that uses it. */
  attach(
    name: string,
    nodeName: string,
    pod: string,
    attributes: Readonly<Record<string, string>> = {},
  ): void {
    this.cluster.setPersistentVolume(persistentVolumeFact({ name, volumeAttributes: attributes }));
    this.cluster.setVolumeAttachment(volumeAttachmentFact({ persistentVolumeName: name, nodeName }));
    this.cluster.setPod(podFact({ name: pod, nodeName, claimNames: [`claim-of-${name}`] }));
  }

  /** Runs one pass. */
  async run(reason: TriggerReason = 'periodic'): Promise<{ readonly nextDeadlineMs?: number }> {
    const wake = () => void this.wakes++;
    const context = { reasons: new Set([reason]), nowMs: this.clock.now(), reconcileId: 'r', wake };
    return this.#pass.run(context, this.abort.signal);
  }

  /** Runs passes `times` times, two seconds apart. */
  async runFor(times: number): Promise<void> {
    for (let time = 0; time < times; time++) {
      await this.run();
      await this.clock.advance(2_000);
    }
  }

  /** A new process: nothing of the old one is remembered. */
  restart(): void {
    this.#pass = this.#newPass();
  }

  /** For a loop to run it. */
  get pass(): ReconcilePass {
    return this.#pass;
  }

  get history(): PassHistory {
    return this.#pass.history;
  }

  get report(): PassReport {
    const report = this.reports.at(-1);
    if (!report) throw new Error('no pass has ended');
    return report;
  }

  /** Resolves once nothing that passes have started is in flight. */
  settled(): Promise<void> {
    return this.#pass.settled();
  }

  /** Kinds of the effects of the last pass. */
  get effects(): readonly string[] {
    return this.report.effects.map(({ kind }) => kind);
  }

  /** What was written to the cluster, in order: `forceDeletePod pod-a`. */
  get writes(): readonly string[] {
    return this.actions.calls
      .filter(({ kind }) => !kind.startsWith('get'))
      .map(({ kind, name }) => `${kind} ${name}`);
  }

  #newPass(): ReleasePass {
    return new ReleasePass({
      cluster: this.cluster,
      manager: new AttachmentManager({ clock: this.clock }),
      fleet: fakeFleet(this.backend),
      actions: this.actions,
      clock: this.clock,
      leadership: { assertHeld: () => this.assertHeld() },
      observer: { passed: (report) => void this.reports.push(report) },
      policy: this.policy,
      newFenceId: () => `fence-${++this.#fences}`,
      ...this.#overrides,
    });
  }
}

/** A fence at a backend that an earlier process made long ago. */
export function fenceAt(backend: FakeStorageBackend, fencedAtMs: number, nodeName = 'node-a'): void {
  const id = nodeName === 'node-a' ? 'fence-0' : `fence-of-${nodeName}`;
  backend.fences.set(id, {
    id,
    nodeName,
    nodeUid: `uid-of-${nodeName}`,
    bootId: `boot-of-${nodeName}`,
    fencedAtMs,
    addresses: [`address-of-${nodeName}`],
    seenSinceMs: fencedAtMs,
  });
}
