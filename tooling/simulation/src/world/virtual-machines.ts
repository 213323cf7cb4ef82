import type { InProcessApi, PodObject } from '@reattach/kube-sim';
import type { SimulationClock } from '../time/simulation-clock.ts';
import type { Machine } from './machine.ts';

const MIGRATION = 'VirtualMachineInstanceMigration';

/** A virtual machine and the pod in which it runs. */
interface VirtualMachine {
  readonly slot: string;
  launches: number;
  /** uid of the pod that has the disk; a migration gives it to another pod. */
  activePod: string | undefined;
  target: string | undefined;
}

export interface VirtualMachinesOptions {
  readonly api: InProcessApi;
  readonly clock: SimulationClock;
  /** Names of their volumes; each has one, which several nodes may have attached. */
  readonly slots: readonly string[];
  readonly machineOf: (nodeName: string) => Machine | undefined;
}

/**
 * Fake KubeVirt: one launcher pod for each virtual machine, another one once it is gone, and live migrations, in
 * which two nodes have the disk attached and only one of them writes. A migration whose source dies stays Running.
 */
export class VirtualMachines implements Disposable {
  readonly #options: VirtualMachinesOptions;
  readonly #all: readonly VirtualMachine[];
  readonly #subscription: Disposable;
  #timer: Disposable | undefined;

  constructor(options: VirtualMachinesOptions) {
    this.#options = options;
    this.#all = options.slots.map((slot) => ({ slot, launches: 0, activePod: undefined, target: undefined }));
    this.#subscription = options.api.store.subscribe(({ kind }) => {
      if (kind === 'Pod') this.wake();
    });
    this.wake();
  }

  /** The pod that has the disk now. */
  activePod(slot: string): PodObject | undefined {
    const { activePod } = this.#find(slot);
    return this.#podsOf(slot).find(({ metadata }) => metadata.uid === activePod);
  }

  /** Begins a live migration away from a node. */
  migrate(slot: string, toNode: string): void {
    const { api } = this.#options;
    const machine = this.#find(slot);
    if (machine.target !== undefined || !this.activePod(slot)) return;
    machine.target = this.#launch(machine, toNode);
    api.store.create({
      kind: MIGRATION,
      metadata: { name: `migrate-${machine.launches}-${slot}`, namespace: 'default' },
      spec: { vmiName: slot },
      status: { phase: 'Running' },
    });
  }

  /** Ends migrations that cannot succeed any more; their target pods go. */
  failMigrations(): void {
    for (const machine of this.#all) {
      if (machine.target === undefined) continue;
      const { store } = this.#options.api;
      if (store.get('Pod', machine.target))
        store.delete('Pod', machine.target, 'default', { gracePeriodSeconds: 0 });
      this.#endMigration(machine, 'Failed');
    }
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
    this.#timer?.[Symbol.dispose]();
  }

  #find(slot: string): VirtualMachine {
    const found = this.#all.find((each) => each.slot === slot);
    if (!found) throw new TypeError(`Expected the volume of a virtual machine, got ${slot}`);
    return found;
  }

  #podsOf(slot: string): readonly PodObject[] {
    return this.#options.api.store
      .list('Pod')
      .filter(({ metadata }) =>
        metadata.ownerReferences?.some(
          ({ kind, name }) => kind === 'VirtualMachineInstance' && name === slot,
        ),
      );
  }

  /** Looks at all of them soon. */
  wake(delayMs = 0): void {
    this.#timer ??= this.#options.clock.after(delayMs, () => {
      this.#timer = undefined;
      for (const machine of this.#all) this.#reconcile(machine);
    });
  }

  #reconcile(machine: VirtualMachine): void {
    const pods = this.#podsOf(machine.slot);
    let active = pods.find(({ metadata }) => metadata.uid === machine.activePod);
    if (!active) {
      active = pods.find(
        ({ metadata }) => metadata.deletionTimestamp === undefined && metadata.name !== machine.target,
      );
      machine.activePod = active?.metadata.uid;
    }
    if (!active) {
      if (pods.length === 0) this.#launch(machine);
      return;
    }
    if (active.status?.phase === 'Running' && active.metadata.deletionTimestamp === undefined)
      this.#options.machineOf(active.spec?.nodeName ?? '')?.workload.start(machine.slot);
    if (machine.target !== undefined) this.#handOver(machine, active);
  }

  /** The source stops to write, then the target begins. */
  #handOver(machine: VirtualMachine, source: PodObject): void {
    const { api, machineOf } = this.#options;
    const target = machine.target === undefined ? undefined : api.store.get('Pod', machine.target);
    if (!target) {
      this.#endMigration(machine, 'Failed');
      return;
    }
    const [from, to] = [source, target].map(({ spec }) => machineOf(spec?.nodeName ?? ''));
    const isDone =
      target.status?.phase === 'Running' && from?.isWell && to?.isWell && from.workload.release(machine.slot);
    if (!isDone) {
      this.wake(2_000);
      return;
    }
    machine.activePod = target.metadata.uid;
    to.workload.start(machine.slot);
    this.#endMigration(machine, 'Succeeded');
    api.store.delete('Pod', source.metadata.name, 'default', { gracePeriodSeconds: 0 });
  }

  #endMigration(machine: VirtualMachine, phase: 'Succeeded' | 'Failed'): void {
    const { store } = this.#options.api;
    machine.target = undefined;
    for (const { metadata, status } of store.list(MIGRATION)) {
      if (status?.phase === 'Running' && metadata.name.endsWith(`-${machine.slot}`))
        store.patch(MIGRATION, metadata.name, { status: { phase } }, metadata.namespace);
    }
  }

  /** @returns the name of the pod */
  #launch(machine: VirtualMachine, nodeName?: string): string {
    machine.launches += 1;
    const name = `virt-launcher-${machine.slot}-${machine.launches}`;
    this.#options.api.addPod({
      name,
      claims: [`data-${machine.slot}-0`],
      owner: { kind: 'VirtualMachineInstance', name: machine.slot },
      phase: 'Pending',
      ...(nodeName !== undefined && { nodeName }),
    });
    return name;
  }
}
