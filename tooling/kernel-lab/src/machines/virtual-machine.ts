import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GuestImage } from './guest-image.ts';
import { GuestShell } from './guest-shell.ts';
import { tapName } from './network.ts';

export interface VirtualMachineOptions {
  readonly name: string;
  readonly role: 'target' | 'host';
  /** Last number of its addresses, 2 to 99. */
  readonly index: number;
  readonly memoryMiB: number;
  readonly image: GuestImage;
  /** Raw disk images, in the order of the guest's /dev/vda, vdb, ... */
  readonly disks?: readonly string[];
  /** Where console and QEMU messages go. */
  readonly folder: string;
}

/** A guest that does not boot within this time, also without hardware virtualisation, has failed. */
const BOOT_LIMIT_MS = 300_000;

/** One QEMU process. Its power can go and come back; disks stay, memory does not. */
export class VirtualMachine implements AsyncDisposable {
  readonly name: string;
  readonly systemUuid: string;
  /** IPv4 address on the storage network. */
  readonly address: string;
  /** A second one of the same network card. */
  readonly secondAddress: string;
  readonly controlAddress: string;
  readonly #options: VirtualMachineOptions;
  #process: ChildProcess | undefined;
  #shell: GuestShell | undefined;
  #boots = 0;

  constructor(options: VirtualMachineOptions) {
    this.#options = options;
    const { name, index } = options;
    this.name = name;
    this.systemUuid = `5e9a7c00-0000-4000-8000-0000000000${index.toString().padStart(2, '0')}`;
    this.address = `10.9.0.${index}`;
    this.secondAddress = `10.9.0.1${index.toString().padStart(2, '0')}`;
    this.controlAddress = `10.8.0.${index}`;
  }

  get isRunning(): boolean {
    return (
      this.#process !== undefined && this.#process.exitCode === null && this.#process.signalCode === null
    );
  }

  /** Path of the console's output since the last start. */
  get consolePath(): string {
    return join(this.#options.folder, `${this.name}-${this.#boots}.console`);
  }

  /** @throws {TypeError} while it is not up */
  get shell(): GuestShell {
    if (!this.#shell) throw new TypeError(`Guest ${this.name} is not up`);
    return this.#shell;
  }

  /** Switches it on and waits until its shell answers. */
  async start(): Promise<void> {
    this.#boots += 1;
    const errors = openSync(join(this.#options.folder, `${this.name}-${this.#boots}.qemu`), 'w');
    // It ends with this process, and it goes first: a guest whose clock has stopped looks like a dead host.
    const command = ['--pdeathsig', 'KILL', 'nice', '-n', '-10', 'qemu-system-x86_64', ...this.#arguments()];
    this.#process = spawn('setpriv', command, { stdio: ['ignore', errors, errors] });
    closeSync(errors);
    const endMs = Date.now() + BOOT_LIMIT_MS;
    for (;;) {
      if (!this.isRunning)
        throw new Error(`Guest ${this.name} ended while it booted: ${await this.#lastWords()}`);
      if (Date.now() > endMs) throw new Error(`Guest ${this.name} did not boot: ${await this.#lastWords()}`);
      try {
        this.#shell = await GuestShell.open(
          this.controlAddress,
          await readFile(this.#options.image.privateKey),
        );
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    }
  }

  /** The power goes: memory is lost at once, disks keep what was written. */
  async powerOff(): Promise<void> {
    const child = this.#process;
    this.#shell?.[Symbol.dispose]();
    this.#shell = undefined;
    if (!child || !this.isRunning) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.powerOff();
  }

  async #lastWords(): Promise<string> {
    const text = await readFile(this.consolePath, 'utf8').catch(() => '');
    return text.trim().split('\n').slice(-5).join(' | ');
  }

  #arguments(): string[] {
    const { name, role, index, memoryMiB, image, disks = [] } = this.#options;
    const mac = (network: number) => `52:54:00:00:0${network}:${index.toString(16).padStart(2, '0')}`;
    const card = (network: number, bridge: string) => [
      '-netdev',
      `tap,id=net${network},ifname=${tapName(bridge, name)},script=no,downscript=no`,
      '-device',
      `virtio-net-pci,netdev=net${network},mac=${mac(network)},romfile=`,
    ];
    const command = [
      'console=ttyS0 quiet loglevel=4 panic=1 net.ifnames=0 mitigations=off no_timer_check tsc=unstable random.trust_cpu=on',
      `lab.name=${name} lab.role=${role} lab.index=${index} lab.uuid=${this.systemUuid}`,
    ].join(' ');
    const text = [
      '-M q35 -accel tcg -cpu max -smp 1 -nodefaults -no-user-config -display none -no-reboot',
      `-m ${memoryMiB} -uuid ${this.systemUuid} -serial chardev:console`,
    ];
    return [
      ...text.join(' ').split(' '),
      '-kernel',
      image.kernel,
      '-initrd',
      image.initrd,
      '-append',
      command,
      '-chardev',
      `file,id=console,path=${this.consolePath}`,
      ...card(0, 'storage'),
      ...card(1, 'control'),
      ...disks.flatMap((path, number) => [
        '-drive',
        `file=${path},if=none,id=disk${number},format=raw,cache=writeback`,
        '-device',
        `virtio-blk-pci,drive=disk${number}`,
      ]),
    ];
  }
}
