import type { Clock } from '@reattach/core';
import { chaosSchedule } from './chaos-schedule.ts';
import type { SimHost } from './nvme/sim-host.ts';
import type { RdsSim } from './rds-sim.ts';

const WRITE_INTERVAL_MS = 1_000;
const CHAOS_MS = 86_400_000;
const SLOTS = ['pvc-a', 'pvc-b', 'pvc-c'];

/** A drop rule, three hosts with a volume each that they write to every second, and commands that cause faults. */
export class Playground implements Disposable {
  readonly help: string =
    'Type: status | off HOST | on HOST | cut HOST | heal HOST | move SLOT HOST | reboot. Ctrl-C ends.\n';
  readonly #sim: RdsSim;
  readonly #clock: Clock;
  #writing: Disposable;
  #chaos: Disposable | undefined;

  constructor(sim: RdsSim, clock: Clock) {
    this.#sim = sim;
    this.#clock = clock;
    sim.device.addDropRule();
    for (const [index, slot] of SLOTS.entries()) {
      sim.device.addVolume({ slot, nqn: `nqn.2000-02.com.mikrotik:${slot}`, sizeBytes: 10 * 1024 ** 3 });
      const host = sim.device.addHost({ name: `node-${'abc'[index]}`, addresses: [`10.0.5.${index + 1}`] });
      connectAndMount(host, slot);
    }
    this.#writing = clock.after(WRITE_INTERVAL_MS, () => this.#write());
  }

  /** @param report called with the name of each fault. */
  startChaos(seed: number, report: (text: string) => void): void {
    const steps = chaosSchedule({ seed, durationMs: CHAOS_MS });
    this.#chaos = this.#sim.faults.schedule(
      steps.map((step) => ({
        ...step,
        strike: (faults) => {
          report(step.name ?? '');
          return step.strike(faults);
        },
      })),
    );
  }

  /** Carries out a line. @returns the state afterwards, or the help. */
  execute(line: string): string {
    const [verb = '', first = '', second = ''] = line.trim().split(/\s+/);
    if (verb === '') return '';
    if (verb === 'status') return this.#status();
    if (verb === 'reboot') {
      void this.#sim.faults.reboot();
      return this.#status();
    }
    const host = this.#sim.device.host(verb === 'move' ? second : first);
    if (!host) return this.help;
    switch (verb) {
      case 'off':
        host.powerOff();
        break;
      case 'on':
        host.boot();
        break;
      case 'cut':
        host.partition();
        break;
      case 'heal':
        host.heal();
        break;
      case 'move':
        if (!host.powered || !this.#sim.device.volume(first)) return this.help;
        connectAndMount(host, first);
        break;
      default:
        return this.help;
    }
    return this.#status();
  }

  [Symbol.dispose](): void {
    this.#writing[Symbol.dispose]();
    this.#chaos?.[Symbol.dispose]();
  }

  #write(): void {
    for (const host of this.#sim.device.hosts) for (const slot of host.slots) host.write(slot);
    this.#writing = this.#clock.after(WRITE_INTERVAL_MS, () => this.#write());
  }

  #status(): string {
    const { device, oracle } = this.#sim;
    const lines = device.hosts.map((host) => {
      const state = host.powered ? (host.partitioned ? 'cut' : 'on') : 'off';
      const volumes = host.slots.map((slot) => {
        const dirty = host.dirtyWrites(slot);
        return `${slot} ${host.connected(slot) ? 'connected' : 'reconnecting'}${dirty > 0 ? `, ${dirty} dirty` : ''}`;
      });
      return `  ${host.name} ${host.addresses.join(' ')} ${state}  ${volumes.join('; ')}`;
    });
    return [...lines, `  accepted writes: ${oracle.totalWrites}, double writes: ${oracle.doubleWrites}`].join(
      '\n',
    );
  }
}

function connectAndMount(host: SimHost, slot: string): void {
  host.connect(slot);
  host.mount(slot);
}
