import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { messageOf } from '../message-of.ts';
import { ForcedCommand } from '../target/forced-command.ts';
import { until } from '../until.ts';
import { ControllerProcess, type LogLine } from './controller-process.ts';
import { type BackendKind, startBackend } from './lab-backend.ts';
import { LabCluster } from './lab-cluster.ts';
import { LabMachines } from './lab-machines.ts';
import type { Story } from './story.ts';

/** Longest wait for anything: it ends what hangs and is far above what a busy machine needs. */
const LIMIT_MS = 420_000;

/** As in production; the port is free. */
const COMMON = {
  mode: 'fence',
  earlyDetection: true,
  http: { listen: '127.0.0.1:0' },
  leaderElection: { namespace: 'kube-system', identity: 'lab' },
};

/** Longer than the activity window of 15 s and two readings: before, the controller does not know how often a host speaks. */
const CADENCE_MS = 40_000;

export interface StageOptions {
  readonly backend: BackendKind;
  readonly twoPaths?: boolean;
}

/** Machines, cluster and controller of one run. */
export class Stage implements AsyncDisposable {
  readonly machines: LabMachines;
  readonly cluster: LabCluster;
  readonly controller: ControllerProcess;
  readonly story: Story;
  readonly backend: BackendKind;
  readonly #cleanup: AsyncDisposableStack;

  private constructor(
    parts: Pick<Stage, 'machines' | 'cluster' | 'controller' | 'story' | 'backend'>,
    cleanup: AsyncDisposableStack,
  ) {
    this.machines = parts.machines;
    this.cluster = parts.cluster;
    this.controller = parts.controller;
    this.story = parts.story;
    this.backend = parts.backend;
    this.#cleanup = cleanup;
  }

  /** Resolves once every replica writes and the controller has seen every host live. */
  static async set(options: StageOptions, story: Story): Promise<Stage> {
    await using cleanup = new AsyncDisposableStack();
    const { backend, ...more } = options;
    const machines = cleanup.use(
      await LabMachines.start({ hosts: ['node-a', 'node-b'], volumes: 2, ...more }, story),
    );
    story.tell('story', 'all guests are up');
    const { driver, attributes, config: settings } = await startBackend(backend, machines, cleanup);
    const cluster = cleanup.use(await LabCluster.start(machines, driver, attributes, story));
    await until('every replica to write', LIMIT_MS, () => cluster.isWriting);
    const config = join(machines.folder, 'controller.yaml');
    await writeFile(
      config,
      stringify({ kubeconfig: cluster.kubeconfig, attacher: driver, ...COMMON, ...settings }),
    );
    const controller = cleanup.use(
      new ControllerProcess([`--config=${config}`], (line) => tellLine(line, story)),
    );
    const stage = new Stage({ machines, cluster, controller, story, backend }, cleanup);
    let unready = '';
    try {
      await stage.until(
        'the controller to be ready',
        async () => (unready = await controller.unready()) === '',
      );
    } catch (cause) {
      throw new Error(`${messageOf(cause)}; /readyz says: ${unready}`, { cause });
    }
    story.tell('story', 'the controller is ready');
    await stage.pause(CADENCE_MS);
    return new Stage(stage, cleanup.move());
  }

  /** Waits until `condition` holds. @throws {Error} when it does not, or the controller has exited */
  until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    return until(what, LIMIT_MS, () => {
      if (this.controller.hasExited)
        throw new Error(`The controller exited while the lab waited for ${what}`);
      return condition();
    });
  }

  /** Names of the PersistentVolumes that the controller released. */
  get released(): ReadonlySet<string> {
    return new Set(
      this.controller.logged('Released stale attachment').map((line) => String(line['persistentVolume'])),
    );
  }

  /** Until the victim's volume was released and the other host writes to it. */
  async failedOver(): Promise<void> {
    await this.until('the release', () => this.released.size > 0);
    await this.until('every replica to write', () => this.cluster.isWriting);
  }

  async forcedCommand(): Promise<ForcedCommand> {
    return ForcedCommand.open(this.machines.target.controlAddress, this.machines.image);
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup.disposeAsync();
  }
}

/** Decisions and errors of the controller, in the words of its log. */
function tellLine(line: LogLine, story: Story): void {
  const text = (key: string) => (typeof line[key] === 'string' ? line[key] : '');
  const subject = [text('persistentVolume'), text('node')].filter(Boolean).join(' on ');
  const why = [text('reason'), text('why')].filter(Boolean).join(': ');
  const words = `${line.msg}${subject && ` ${subject}`}${why && ` (${why})`}`;
  if (line.level === 'error') story.tell('error', `${words} ${JSON.stringify(line['err'] ?? '')}`);
  else if (DECISIONS.has(line.msg)) story.tell('decided', words);
}

const DECISIONS = new Set(['Held release', 'Fenced node', 'Released stale attachment', 'Unfenced node']);
