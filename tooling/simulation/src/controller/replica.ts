import type { Logger, PassReport, Policy } from '@reattach/core';
import { Link } from '../network/link.ts';
import type { StorageServer } from '../storage/storage-server.ts';
import type { RunRandom } from '../time/run-random.ts';
import { SimulatedProcess } from '../time/simulated-process.ts';
import type { SimulationClock } from '../time/simulation-clock.ts';
import { EffectGate } from '../transport/effect-gate.ts';
import { InProcessKubeApi } from '../transport/in-process-kube-api.ts';
import { inProcessDial } from '../transport/in-process-ssh.ts';
import type { ApiServer } from '../world/api-server.ts';
import { type ComposedController, composeController } from './compose-controller.ts';

/** What a controller is given, and what it reports to. */
export interface ReplicaOptions {
  readonly name: string;
  readonly clock: SimulationClock;
  readonly random: RunRandom;
  readonly api: ApiServer;
  readonly storage: StorageServer;
  readonly policy: Policy;
  readonly electsLeader: boolean;
  readonly logger: Logger;
  readonly onPass: (report: PassReport) => void;
}

/** A process that runs the composed controller. */
interface Run {
  readonly process: SimulatedProcess;
  readonly gate: EffectGate;
  readonly controller: ComposedController;
  readonly stop: AbortController;
  ended: boolean;
  failure: unknown;
}

/** One place for a controller: its links stay, its process comes and goes. */
export class Replica {
  readonly name: string;
  readonly apiLink: Link;
  readonly storageLink: Link;
  readonly #options: ReplicaOptions;
  readonly #random: RunRandom;
  #run: Run | undefined;
  #starts = 0;
  #fences = 0;
  #resumedAtMs = Number.NEGATIVE_INFINITY;
  /** Processes that were stopped in order, and had timers left when they had ended. */
  readonly leakedTimers: number[] = [];
  /** Why a process ended by itself. */
  readonly failures: unknown[] = [];

  constructor(options: ReplicaOptions) {
    const { name, random } = options;
    this.name = name;
    this.#options = options;
    this.#random = random.fork(name);
    this.apiLink = new Link(`${name} - api`, { minMs: 1, maxMs: 12 }, this.#random);
    this.storageLink = new Link(`${name} - storage`, { minMs: 2, maxMs: 40 }, this.#random);
  }

  get isRunning(): boolean {
    return this.#run?.process.isRunning === true && !this.#run.ended;
  }

  get isPaused(): boolean {
    return this.#run?.process.isAlive === true && !this.#run.process.isRunning;
  }

  get isReady(): boolean {
    return this.isRunning && this.#run?.controller.isReady === true;
  }

  get isLeading(): boolean {
    return this.isRunning && this.#run?.controller.isLeading === true;
  }

  /** It runs and reaches both sides as usual. */
  get isWell(): boolean {
    return this.isRunning && this.apiLink.isWell && this.storageLink.isWell;
  }

  /** Effects of the process pass here; `undefined` when none runs. */
  get gate(): EffectGate | undefined {
    return this.#run?.gate;
  }

  /** Starts a process, or does nothing when one is there. */
  start(): void {
    if (this.#run && !this.#run.ended) return;
    this.#starts += 1;
    const { clock, api, storage, policy, electsLeader, logger, onPass } = this.#options;
    const process = new SimulatedProcess(clock);
    const gate = new EffectGate(process);
    const identity = `${this.name}-${this.#starts}`;
    const random = this.#random.fork(`start ${this.#starts}`);
    const dial = inProcessDial({
      server: storage,
      client: identity,
      clock,
      process,
      link: this.storageLink,
      gate,
    });
    const controller = composeController({
      connect: (ports) => storage.product.connect(dial, ports),
      api: new InProcessKubeApi({ server: api, client: identity, clock, process, link: this.apiLink, gate }),
      clock: process.clock,
      logger,
      random: () => random.next(),
      identity,
      policy,
      electsLeader,
      newFenceId: () => {
        this.#fences += 1;
        return (random.integer(0, 0xff_ff) * 0x1_00_00 + this.#fences).toString(16).padStart(8, '0');
      },
      onPass,
    });
    const run: Run = {
      process,
      gate,
      controller,
      stop: new AbortController(),
      ended: false,
      failure: undefined,
    };
    this.#run = run;
    controller.run(run.stop.signal).then(
      () => this.#ended(run),
      (err: unknown) => {
        this.failures.push(err);
        this.#ended(run);
      },
    );
  }

  /** Ends it as SIGTERM does; it goes on for a moment. */
  stop(): void {
    this.#run?.stop.abort(new Error('SIGTERM'));
  }

  /** Ends it as SIGKILL does. */
  kill(): void {
    const run = this.#run;
    if (!run) return;
    run.process.kill();
    run.ended = true;
  }

  pause(): void {
    this.#run?.process.pause();
  }

  resume(): void {
    if (this.isPaused) this.#resumedAtMs = this.#options.clock.now();
    this.#run?.process.resume();
  }

  /** When its process last went on after a pause, epoch ms. What it had decided before, it may still send. */
  get resumedAtMs(): number {
    return this.#resumedAtMs;
  }

  stepClock(deltaMs: number): void {
    this.#run?.process.stepClock(deltaMs);
  }

  get hasEnded(): boolean {
    return this.#run === undefined || this.#run.ended;
  }

  #ended(run: Run): void {
    run.ended = true;
    if (run.process.pendingTimers > 0) this.leakedTimers.push(run.process.pendingTimers);
  }
}
