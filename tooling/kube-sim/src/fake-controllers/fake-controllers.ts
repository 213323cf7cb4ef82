import type { KubeSim } from '../kube-sim.ts';
import { AttachDetachController } from './attach-detach-controller.ts';
import { ExternalAttacher } from './external-attacher.ts';
import { Kubelet, type KubeletHooks, type MachineStatus } from './kubelet.ts';
import { NodeLifecycleController } from './node-lifecycle-controller.ts';
import { PodGarbageCollector } from './pod-garbage-collector.ts';
import { Scheduler } from './scheduler.ts';
import { StatefulSetController } from './stateful-set-controller.ts';

/** Times of all fake controllers, ms. Defaults: those of Kubernetes, named at each controller. */
export interface FakeControllerTimes {
  /** Time ControllerPublishVolume takes. Default 500. */
  readonly attachMs?: number;
  /** Time ControllerUnpublishVolume takes. Default 500. */
  readonly detachMs?: number;
  /** Default 360 000. */
  readonly forceDetachMs?: number;
  /** Sync period of the attach-detach controller. Default 60 000. */
  readonly syncPeriodMs?: number;
  /** Loop of the attach-detach controller. Default 100. */
  readonly attachDetachLoopMs?: number;
  /** Default 20 000. */
  readonly podGcPeriodMs?: number;
  /** Default 40 000. */
  readonly podGcQuarantineMs?: number;
  /** Silence after which a Node is Unknown. Default 50 000. */
  readonly nodeGraceMs?: number;
  /** Default 5 000. */
  readonly nodeMonitorPeriodMs?: number;
  /** Default 300 000. */
  readonly evictAfterMs?: number;
  /** Default 10 000. */
  readonly leaseIntervalMs?: number;
  /** Default 10 000. */
  readonly nodeStatusIntervalMs?: number;
}

export interface FakeControllersOptions {
  /** CSI drivers that get an external-attacher. */
  readonly drivers: readonly string[];
  readonly times?: FakeControllerTimes;
  /** See `AttachDetachOptions`. */
  readonly detachesFromDeletedNodes?: boolean;
  /** Binds the kubelet of a node to a data plane. */
  readonly hooks?: (nodeName: string) => KubeletHooks;
  /** What the kubelet of a node reads from the machine it runs on. Default, and `undefined` for a node without a machine: what the Node says already. */
  readonly machine?: (nodeName: string) => MachineStatus | undefined;
}

/** A cluster's controllers, its scheduler and a kubelet for every Node there is or will be. Disposed together. */
export class FakeControllers implements Disposable {
  readonly #cleanup = new DisposableStack();
  readonly #attachers = new Map<string, ExternalAttacher>();
  readonly #kubelets = new Map<string, Kubelet>();
  readonly #startKubelet: (nodeName: string) => void;

  constructor(sim: KubeSim, options: FakeControllersOptions) {
    const { drivers, times = {}, detachesFromDeletedNodes = false, hooks, machine } = options;
    const { store, clock } = sim;
    const context = { store, clock };
    this.#startKubelet = (nodeName) => {
      if (this.#kubelets.has(nodeName)) return;
      const kubelet = new Kubelet(context, {
        nodeName,
        ...given('leaseIntervalMs', times.leaseIntervalMs),
        ...given('statusIntervalMs', times.nodeStatusIntervalMs),
        hooks: hooks?.(nodeName),
        machine: machine && (() => machine(nodeName)),
      });
      this.#kubelets.set(nodeName, this.#cleanup.use(kubelet));
      kubelet.start();
    };
    for (const { metadata } of store.list('Node')) this.#startKubelet(metadata.name);
    this.#cleanup.use(
      store.subscribe(({ kind, type, object }) => {
        if (kind === 'Node' && type === 'ADDED') this.#startKubelet(object.metadata.name);
      }),
    );
    this.#cleanup.use(
      new NodeLifecycleController(context, {
        ...given('graceMs', times.nodeGraceMs),
        ...given('monitorPeriodMs', times.nodeMonitorPeriodMs),
        ...given('evictAfterMs', times.evictAfterMs),
      }),
    );
    this.#cleanup.use(
      new PodGarbageCollector(context, {
        ...given('periodMs', times.podGcPeriodMs),
        ...given('quarantineMs', times.podGcQuarantineMs),
      }),
    );
    this.#cleanup.use(new StatefulSetController(context));
    this.#cleanup.use(new Scheduler(context));
    this.#cleanup.use(
      new AttachDetachController(context, {
        detachesFromDeletedNodes,
        ...given('forceDetachMs', times.forceDetachMs),
        ...given('syncPeriodMs', times.syncPeriodMs),
        ...given('loopMs', times.attachDetachLoopMs),
      }),
    );
    for (const driver of drivers) {
      const attacher = new ExternalAttacher(context, {
        driver,
        ...given('attachMs', times.attachMs),
        ...given('detachMs', times.detachMs),
      });
      this.#attachers.set(driver, this.#cleanup.use(attacher));
    }
  }

  /** @throws {TypeError} when there was never a Node of that name. */
  kubelet(nodeName: string): Kubelet {
    return required(this.#kubelets, nodeName, 'Node');
  }

  /** @throws {TypeError} for a driver that was not named at the start. */
  attacher(driver: string): ExternalAttacher {
    return required(this.#attachers, driver, 'driver');
  }

  /** Idempotent. */
  [Symbol.dispose](): void {
    this.#cleanup.dispose();
  }
}

/** Starts all fake controllers on a simulator's store and clock. */
export function startFakeControllers(sim: KubeSim, options: FakeControllersOptions): FakeControllers {
  return new FakeControllers(sim, options);
}

function required<T>(all: ReadonlyMap<string, T>, name: string, what: string): T {
  const found = all.get(name);
  if (!found) throw new TypeError(`Expected a ${what} among ${[...all.keys()].join(', ')}, got ${name}`);
  return found;
}

/** An option only when it has a value, so that defaults apply. */
function given<K extends string>(name: K, value: number | undefined): { readonly [P in K]?: number } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [P in K]?: number };
}
