import { join } from 'node:path';
import { type FakeControllers, KubeSim, startFakeControllers } from '@reattach/kube-sim';
import type { LabBackend } from './lab-backend.ts';
import type { LabMachines } from './lab-machines.ts';
import type { Story } from './story.ts';

const SET_NAME = 'db';
const STORAGE_ADDRESSES = 'reattach.srvlab.io/storage-addresses';

/**
 * A simulated cluster on the lab's machines: what a kubelet mounts, its host connects to and writes to. Each volume
 * belongs to a replica of one StatefulSet. Times are those of Kubernetes.
 */
export class LabCluster implements AsyncDisposable {
  readonly kube: KubeSim;
  readonly controllers: FakeControllers;
  readonly kubeconfig: string;
  readonly #machines: LabMachines;

  private constructor(
    kube: KubeSim,
    controllers: FakeControllers,
    kubeconfig: string,
    machines: LabMachines,
  ) {
    this.kube = kube;
    this.controllers = controllers;
    this.kubeconfig = kubeconfig;
    this.#machines = machines;
  }

  static async start(
    machines: LabMachines,
    driver: string,
    attributes: LabBackend['attributes'],
    story: Story,
  ): Promise<LabCluster> {
    const kube = await KubeSim.start();
    const { hosts, volumes } = machines;
    for (const { machine, paths } of hosts) {
      const [internalIP, ...others] = paths;
      kube.addNode({
        name: machine.name,
        systemUuid: machine.systemUuid,
        ...(internalIP !== undefined && { internalIP }),
        ...(others.length > 0 && { annotations: { [STORAGE_ADDRESSES]: others.join(',') } }),
      });
    }
    for (const [index, volume] of volumes.entries()) {
      const { name } = volume;
      const claim = `data-${SET_NAME}-${index}`;
      kube.addVolume({ name: `pv-${name}`, claim, handle: name, driver, attributes: attributes(volume) });
    }
    const failed = (what: string) => (err: unknown) => {
      story.tell('error', `${what}: ${err instanceof Error ? err.message : String(err)}`);
    };
    const volumeOf = (handle: string) => {
      const volume = volumes.find(({ name }) => name === handle);
      if (!volume) throw new TypeError(`Expected a volume of the lab, got ${handle}`);
      return volume;
    };
    const controllers = startFakeControllers(kube, {
      drivers: [driver],
      hooks: (nodeName) => ({
        onMount: (name, handle) => {
          story.tell('moved', `${nodeName} mounts ${name}`);
          machines
            .host(nodeName)
            .mount(volumeOf(handle))
            .catch(failed(`${nodeName} cannot mount ${name}`));
        },
        onUnmount: (name, handle) => {
          const host = machines.host(nodeName);
          story.tell('moved', `${nodeName} unmounts ${name}`);
          if (host.machine.isRunning)
            host.unmount(volumeOf(handle)).catch(failed(`${nodeName} cannot unmount ${name}`));
        },
      }),
    });
    kube.addStatefulSet({ name: SET_NAME, replicas: volumes.length });
    const kubeconfig = join(machines.folder, 'kubeconfig');
    await kube.writeKubeconfig(kubeconfig);
    return new LabCluster(kube, controllers, kubeconfig, machines);
  }

  /** Every volume is written to by the host it was mounted on last. */
  get isWriting(): boolean {
    return this.#machines.volumes.every(({ oracle }) => (oracle.newest(oracle.generation)?.round ?? 0) > 2);
  }

  /** The power of the machine goes: its kubelet with it. */
  async powerOff(name: string): Promise<void> {
    this.controllers.kubelet(name).stop();
    await this.#machines.host(name).machine.powerOff();
  }

  /** Another boot of the machine, with nothing mounted. */
  async powerOn(name: string): Promise<void> {
    await this.#machines.host(name).machine.start();
    this.controllers.kubelet(name).start({ rebooted: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.controllers[Symbol.dispose]();
    await this.kube[Symbol.asyncDispose]();
  }
}
