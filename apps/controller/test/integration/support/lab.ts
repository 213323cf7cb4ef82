import { readFileSync } from 'node:fs';
import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import { FakeClock, RecordingLogger } from '@reattach/core/testing';
import { CONFIRMED_OFF } from '@reattach/k8s-api';
import { SimWorld, type SimWorldOptions, type WorldFiles } from '@reattach/sim-world';
import { vi } from 'vitest';
import { compose } from '../../../src/compose.ts';
import { type Config, parseConfig } from '../../../src/config/config.ts';
import { runFor, runUntil } from './pace.ts';
import { RunningController } from './running-controller.ts';
import { CONTROLLER_TIMES, WORLD_TIMES } from './times.ts';

/** What a test may take on a machine that is busy with others, real ms. Time in it is the fake clock's. */
vi.setConfig({ testTimeout: 300_000 });

/** Flags by name without dashes; `undefined` leaves one out. */
export type Flags = Readonly<Record<string, string | number | boolean | undefined>>;

/** Longest wait, ms of cluster time: more than any failover here takes. */
const LIMIT_MS = 30_000;

/** A simulated cluster, an agent on each node, and its backend on a fake clock, and the means to run controllers, composed as in production, on it. */
export class Lab implements AsyncDisposable {
  readonly clock: FakeClock;
  readonly world: SimWorld;
  readonly #files: WorldFiles;
  readonly #controllers: RunningController[] = [];

  private constructor(clock: FakeClock, world: SimWorld, files: WorldFiles) {
    this.clock = clock;
    this.world = world;
    this.#files = files;
  }

  /** Every replica runs. */
  static async start(options: Omit<SimWorldOptions, 'clock'> = {}): Promise<Lab> {
    const clock = new FakeClock();
    const world = await SimWorld.start({ times: WORLD_TIMES, ...options, clock });
    for (const { name, address } of world.nodes) {
      const owner = { kind: 'DaemonSet', name: 'agent' };
      world.kube.addPod({ name: `agent-${name}`, nodeName: name, hostIP: address, owner });
    }
    const lab = new Lab(clock, world, await world.writeFiles());
    await lab.until('every replica to run', () => lab.isSettled);
    return lab;
  }

  /** Every replica runs and every volume is attached exactly once. */
  get isSettled(): boolean {
    const { kube, nodes, rds } = this.world;
    const running = nodes.flatMap(({ name }) => this.replicasOn(name));
    const attached = kube.store.list('VolumeAttachment').filter((each) => each.status?.attached);
    const volumes = rds.device.volumes.length;
    return running.length === volumes && attached.length === volumes;
  }

  /** Pods of the StatefulSet that run on a node. */
  replicasOn(name: string): readonly string[] {
    return this.world.podsOn(name).filter((pod) => !pod.startsWith('agent-'));
  }

  /** Of a controller in mode `fence`; `flags` win over what this world needs. @throws {ConfigError} */
  configure(flags: Flags = {}): Config {
    const { rds, driver, backendAddress } = this.world;
    const all: Flags = {
      'unsafe-compressed-times': true,
      ...CONTROLLER_TIMES,
      mode: 'fence',
      kubeconfig: this.#files.kubeconfig,
      attacher: driver,
      'rds-address': `${rds.host}:${rds.port}`,
      'rds-user': rds.credentials.username,
      'rds-private-key-file': this.#files.privateKey,
      'rds-host-key-file': this.#files.hostKey,
      'rds-storage-addresses': backendAddress,
      'http-listen': '127.0.0.1:0',
      'leader-election-enabled': false,
      ...flags,
    };
    const argv = Object.entries(all).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${name}=${value}`],
    );
    return parseConfig({ argv, env: {}, readFile: (path) => readFileSync(path, 'utf8') });
  }

  /** A controller that has not started. @see configure */
  compose(flags: Flags = {}, spanProcessors: readonly SpanProcessor[] = []): RunningController {
    const logger = new RecordingLogger();
    const controller = new RunningController(
      compose(this.configure(flags), { logger, clock: this.clock, spanProcessors }),
      logger,
      this.clock,
    );
    this.#controllers.push(controller);
    return controller;
  }

  /** A controller that is ready and has read the backend since. */
  async ready(flags: Flags = {}, spanProcessors?: readonly SpanProcessor[]): Promise<RunningController> {
    const controller = this.compose(flags, spanProcessors);
    controller.start();
    await this.until('the controller to be ready', () => controller.isReady);
    await this.runFor(1_000); // the idle poll, so that live nodes are known before they die
    return controller;
  }

  /** Kubernetes calls the node Ready. */
  isReady(name: string): boolean {
    const conditions = this.world.kube.store.get('Node', name)?.status?.conditions ?? [];
    return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
  }

  /** Name of the claim bound to a PersistentVolume. @throws {TypeError} when there is none. */
  claimOf(persistentVolume: string): string {
    const claim = this.world.kube.store.get('PersistentVolume', persistentVolume)?.spec?.claimRef;
    if (!claim) throw new TypeError(`Expected a bound PersistentVolume, got ${persistentVolume}`);
    return claim.name;
  }

  /** Ids of the fences at the backend, one for each entry. */
  get fenceIds(): readonly string[] {
    const { entries } = this.world.rds.device.addressList;
    return entries.map(({ comment = '' }) => /id=([0-9a-f]{8})/.exec(comment)?.[1] ?? '');
  }

  /** As `reattach confirm-off` does: the machine is off, and its writes have ended. @returns whether anything was to be confirmed */
  confirmOff(name: string): boolean {
    const { store } = this.world.kube;
    const [id] = this.fenceIds;
    if (id === undefined) return false;
    const open = store.list('VolumeAttachment').filter(({ spec, metadata }) => {
      return spec?.nodeName === name && metadata.annotations?.[CONFIRMED_OFF] !== id;
    });
    for (const { metadata } of open)
      store.patch('VolumeAttachment', metadata.name, { metadata: { annotations: { [CONFIRMED_OFF]: id } } });
    return open.length > 0;
  }

  /** The controller, which was away while the queues of the node closed, holds its volumes until an operator confirms. */
  async failedOverConfirmed(name: string, controller: RunningController): Promise<void> {
    const held = { reason: 'quiesce-unproved' };
    await this.until('the hold', () => controller.logged('Held release', held).length > 0);
    if (this.world.attachedTo(name).length === 0) throw new Error(`${name} was released without proof`);
    this.confirmOff(name);
    await this.failedOver(name);
  }

  /** Reasons of the Events on a claim of the namespace `default`, each once. */
  claimEvents(claim: string): readonly string[] {
    const events = this.world.kube.store.list('Event').filter(({ involvedObject }) => {
      return involvedObject?.kind === 'PersistentVolumeClaim' && involvedObject.name === claim;
    });
    return [...new Set(events.map(({ reason }) => reason ?? ''))];
  }

  /** @param stepMs see {@link runFor} */
  runFor(ms: number, stepMs?: number): Promise<void> {
    return runFor(this.clock, ms, stepMs);
  }

  async until(what: string, condition: () => boolean, limitMs: number = LIMIT_MS): Promise<void> {
    try {
      await runUntil(this.clock, what, condition, limitMs);
    } catch (cause) {
      const said = this.#controllers.map((controller) => controller.tail()).join('\n--- next controller\n');
      throw new Error(`Waited in vain for ${what}; the controller said:\n${said}`, { cause });
    }
  }

  /** Nothing is attached to the node any more, and every replica runs elsewhere. */
  async failedOver(name: string): Promise<void> {
    await this.until(`${name} to be released`, () => this.world.attachedTo(name).length === 0);
    await this.until('every replica to run elsewhere', () => this.isSettled);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const controller of this.#controllers) await controller.stop();
    await this.#files[Symbol.asyncDispose]();
    await this.world[Symbol.asyncDispose]();
  }
}
