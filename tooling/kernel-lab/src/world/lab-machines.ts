import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { unpackGuestPackages } from '../machines/debian-packages.ts';
import { buildGuestImage, type GuestImage } from '../machines/guest-image.ts';
import { LabNetwork } from '../machines/network.ts';
import { VirtualMachine } from '../machines/virtual-machine.ts';
import { NvmeHost } from './nvme-host.ts';
import type { Story } from './story.ts';
import { Volume } from './volume.ts';

const run = promisify(execFile);

/** Downloaded packages, kept between runs. */
const CACHE = join(homedir(), '.cache/reattach-kernel-lab');
const TARGET_INDEX = 10;
const FIRST_HOST_INDEX = 21;
const SAMPLE_MS = 100;

export interface LabMachinesOptions {
  readonly hosts: readonly string[];
  /** Disks that the target exports. */
  readonly volumes: number;
  /** Each host reaches its volumes over two addresses. */
  readonly twoPaths?: boolean;
}

/** A target and its hosts, up and connected, and the judge of every volume. */
export class LabMachines implements AsyncDisposable {
  readonly folder: string;
  readonly image: GuestImage;
  readonly network: LabNetwork;
  readonly target: VirtualMachine;
  readonly hosts: readonly NvmeHost[];
  readonly volumes: readonly Volume[];
  readonly #cleanup: AsyncDisposableStack;

  private constructor(
    parts: Pick<LabMachines, 'folder' | 'image' | 'network' | 'target' | 'hosts' | 'volumes'>,
    cleanup: AsyncDisposableStack,
  ) {
    this.folder = parts.folder;
    this.image = parts.image;
    this.network = parts.network;
    this.target = parts.target;
    this.hosts = parts.hosts;
    this.volumes = parts.volumes;
    this.#cleanup = cleanup;
  }

  /** Downloads what is missing, builds the guests and boots them. Call it in a network namespace of its own. */
  static async start(options: LabMachinesOptions, story: Story): Promise<LabMachines> {
    await using cleanup = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'reattach-lab-'));
    const remove = () => rmSync(folder, { recursive: true, force: true });
    process.once('exit', remove); // also when a signal ends the lab
    cleanup.defer(remove);
    await mkdir(CACHE, { recursive: true });
    const image = await buildGuestImage(await unpackGuestPackages(CACHE), CACHE, folder);
    const names = ['target', ...options.hosts];
    const network = await LabNetwork.create(names);
    const volumes = Array.from({ length: options.volumes }, (_, index) => {
      return new Volume(index + 1, join(folder, `vol${index + 1}.img`));
    });
    const state = join(folder, 'state.img');
    await run('truncate', ['-s', '8M', state]);
    await run('mke2fs', ['-q', '-F', '-t', 'ext4', state]);
    for (const { imagePath } of volumes) await run('truncate', ['-s', '64M', imagePath]);
    const common = { image, folder };
    const target = new VirtualMachine({
      ...common,
      name: 'target',
      role: 'target',
      index: TARGET_INDEX,
      memoryMiB: 320,
      disks: [state, ...volumes.map(({ imagePath }) => imagePath)],
    });
    const machines = options.hosts.map(
      (name, index) =>
        new VirtualMachine({
          ...common,
          name,
          role: 'host',
          index: FIRST_HOST_INDEX + index,
          memoryMiB: 256,
        }),
    );
    for (const machine of [target, ...machines]) cleanup.use(machine);
    story.tell('story', `${names.length} virtual machines boot: ${names.join(', ')}`);
    await Promise.all([target, ...machines].map((machine) => machine.start()));
    const hosts = machines.map((machine) => {
      const { address, secondAddress } = machine;
      return new NvmeHost(machine, target.address, options.twoPaths ? [address, secondAddress] : [address]);
    });
    const lab = new LabMachines({ folder, image, network, target, hosts, volumes }, cleanup.move());
    lab.#sample(story);
    return lab;
  }

  /** @throws {TypeError} when there is no such host */
  host(name: string): NvmeHost {
    const host = this.hosts.find(({ machine }) => machine.name === name);
    if (!host)
      throw new TypeError(
        `Expected a host among ${this.hosts.map(({ machine }) => machine.name).join(', ')}, got ${name}`,
      );
    return host;
  }

  /** Every write to this volume takes so long from now on; those in progress end first. */
  async delayWrites(number: number, delayMs: number): Promise<void> {
    const disk = `/dev/vd${String.fromCharCode('a'.charCodeAt(0) + number)}`;
    const table = `0 $(blockdev --getsz ${disk}) delay ${disk} 0 0 ${disk} 0 ${delayMs}`;
    await this.target.shell.run(
      `dmsetup suspend vol${number} && dmsetup reload vol${number} --table "${table}" && dmsetup resume vol${number}`,
    );
  }

  get overwrites(): number {
    return this.volumes.reduce((sum, { oracle }) => sum + oracle.overwrites.length, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup.disposeAsync();
  }

  /** Reads every volume again and again until disposal. */
  #sample(story: Story): void {
    const stop = new AbortController();
    const loop = async () => {
      while (!stop.signal.aborted) {
        for (const volume of this.volumes) {
          const found = await volume.sample();
          if (found > 0)
            story.tell(
              'error',
              `${found} blocks of ${volume.name} were overwritten by a host that had lost it`,
            );
        }
        await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
      }
    };
    const done = loop();
    this.#cleanup.defer(async () => {
      stop.abort();
      await done;
    });
  }
}
