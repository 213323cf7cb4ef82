import type { Clock } from '@reattach/core';
import {
  AttachDetachController,
  ExternalAttacher,
  type FakeControllerContext,
  NodeLifecycleController,
  PodGarbageCollector,
  Scheduler,
  StatefulSetController,
} from '@reattach/kube-sim';
import type { SimulationClock } from '../time/simulation-clock.ts';
import type { ApiServer } from './api-server.ts';
import { WORLD_TIMES } from './times.ts';

/** The driver whose volumes we release. */
export const DRIVER = 'rds.csi.srvlab.io';
/** A driver that is none of our business. */
export const OTHER_DRIVER = 'other.csi.example.test';

/** Kubernetes' own controllers and the attachers of both drivers. */
export class Cluster implements Disposable {
  /** What kube-controller-manager's clock is off by, ms. */
  controllerClockOffsetMs = 0;
  readonly attacher: ExternalAttacher;
  readonly #cleanup = new DisposableStack();

  constructor(api: ApiServer, clock: SimulationClock, detachesFromDeletedNodes: boolean) {
    const { store } = api;
    const context: FakeControllerContext = { store, clock };
    const skewed: Clock = {
      now: () => clock.now() + this.controllerClockOffsetMs,
      after: (delayMs, fn) => clock.after(delayMs, fn),
    };
    const times = WORLD_TIMES;
    this.#cleanup.use(
      new NodeLifecycleController(
        { store, clock: skewed },
        { graceMs: times.nodeGraceMs, monitorPeriodMs: times.nodeMonitorPeriodMs },
      ),
    );
    this.#cleanup.use(
      new PodGarbageCollector(context, {
        periodMs: times.podGcPeriodMs,
        quarantineMs: times.podGcQuarantineMs,
      }),
    );
    this.#cleanup.use(new StatefulSetController(context));
    this.#cleanup.use(new Scheduler(context));
    this.#cleanup.use(
      new AttachDetachController(context, {
        syncPeriodMs: times.syncPeriodMs,
        loopMs: times.attachDetachLoopMs,
        detachesFromDeletedNodes,
      }),
    );
    const { attachMs, detachMs } = times;
    this.attacher = this.#cleanup.use(new ExternalAttacher(context, { driver: DRIVER, attachMs, detachMs }));
    this.#cleanup.use(new ExternalAttacher(context, { driver: OTHER_DRIVER, attachMs, detachMs }));
  }

  [Symbol.dispose](): void {
    this.#cleanup.dispose();
  }
}
