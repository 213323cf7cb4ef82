import assert from 'node:assert/strict';
import { FakeClock } from '@reattach/core/testing';
import type { PodObject, VolumeAttachmentObject } from '../kube-object.ts';
import { KubeSim } from '../kube-sim.ts';
import { attachmentName, uniqueVolumeName } from '../manifests.ts';

export const DRIVER = 'disk.csi.test';

/** The volume every test uses, and its name in a Node's status. */
export const VOLUME = { name: 'pv-0', claim: 'data-db-0', handle: 'h0', driver: 'disk.csi.test' } as const;
export const IN_USE: string = uniqueVolumeName(DRIVER, 'h0');

/** A simulator on a fake clock; disposing it asserts that no timer is left. */
export class TestCluster implements AsyncDisposable {
  readonly clock: FakeClock;
  readonly sim: KubeSim;

  private constructor(clock: FakeClock, sim: KubeSim) {
    this.clock = clock;
    this.sim = sim;
  }

  static async start(): Promise<TestCluster> {
    const clock = new FakeClock();
    return new TestCluster(clock, await KubeSim.start({ clock }));
  }

  pod(name = 'db-0'): PodObject | undefined {
    return this.sim.store.get('Pod', name);
  }

  attachment(nodeName: string): VolumeAttachmentObject | undefined {
    return this.sim.store.get('VolumeAttachment', attachmentName(VOLUME.handle, DRIVER, nodeName));
  }

  isAttached(nodeName: string): boolean {
    return this.attachment(nodeName)?.status?.attached === true;
  }

  /** Deletes a pod as `kubectl delete --force` does. */
  forceDelete(name = 'db-0'): void {
    this.sim.store.delete('Pod', name, 'default', { gracePeriodSeconds: 0 });
  }

  /** Moves time in small steps until `condition` holds. @returns the time it took, ms. */
  async until(condition: () => boolean, limitMs: number, stepMs = 100): Promise<number> {
    const startMs = this.clock.now();
    await this.clock.advance(0);
    while (!condition()) {
      assert.ok(this.clock.now() - startMs < limitMs, `not within ${limitMs} ms: ${condition.toString()}`);
      await this.clock.advance(stepMs);
    }
    return this.clock.now() - startMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sim[Symbol.asyncDispose]();
    assert.equal(this.clock.pendingTimers, 0);
  }
}
