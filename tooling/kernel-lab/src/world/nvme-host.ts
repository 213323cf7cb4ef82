import type { VirtualMachine } from '../machines/virtual-machine.ts';
import type { Volume } from './volume.ts';

/** What runs on a host: connections to the target and writers of the pattern. */
export class NvmeHost {
  readonly machine: VirtualMachine;
  /** Local addresses that connections leave from; with two there are two paths to each volume. */
  readonly paths: readonly string[];
  readonly #targetAddress: string;

  constructor(machine: VirtualMachine, targetAddress: string, paths: readonly string[] = [machine.address]) {
    this.machine = machine;
    this.paths = paths;
    this.#targetAddress = targetAddress;
  }

  /** Connects to the volume and writes to it until it is stopped, whatever becomes of the connection. */
  async mount(volume: Volume): Promise<void> {
    const generation = volume.oracle.mount();
    const options = '--ctrl-loss-tmo=-1 --reconnect-delay=5';
    for (const path of this.paths) {
      await this.machine.shell.run(
        `nvme connect -t tcp -a ${this.#targetAddress} -s 4420 -w ${path} -n ${volume.nqn} ${options}`,
      );
    }
    await this.machine.shell.start(`write-pattern ${volume.nqn} ${generation}`);
  }

  /** Ends the writer and disconnects. Waits for dirty pages, as unmounting does. */
  async unmount(volume: Volume): Promise<void> {
    await this.machine.shell.run(
      `pkill -9 -f '[w]rite-pattern ${volume.nqn}'; nvme disconnect -n ${volume.nqn}`,
    );
  }
}
