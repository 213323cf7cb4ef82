import { FakeClock, SeededRandom } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { type LeaseClient, LeaseServer, type Transit } from '../test/lease-server.ts';
import { LeaderElector } from './leader-elector.ts';

/** Leader kills per seed; 12 seeds make 240. */
const KILLS = 20;
const REPLICAS = 3;
/** Between two looks at who may write, ms. */
const LOOK_MS = 100;
/** The longest single write: one that `assertHeld()` allowed may last for so long. */
const WRITE_MS = 5_000;

/** One process: its elector, its road to the API server, its own idea of the time. */
class Replica {
  readonly identity: string;
  readonly client: LeaseClient;
  readonly elector: LeaderElector;
  readonly running: Promise<void>;
  readonly #controller = new AbortController();
  /** Its wall clock runs beside the others' and may step. */
  wallStepMs: number;
  /** A killed process runs no code any more. */
  alive = true;
  inLead = 0;
  /** When a write of it was last allowed, true time; absent when none of its writes can be running. */
  allowedAtMs: number | undefined;

  constructor(identity: string, server: LeaseServer, random: () => number) {
    const { clock } = server;
    this.identity = identity;
    this.client = server.client();
    this.wallStepMs = (random() - 0.5) * 7_200_000;
    this.elector = new LeaderElector({
      api: this.client,
      namespace: 'reattach',
      name: 'controller',
      owner: 'csi.test/cluster-1',
      identity,
      random,
      clock: {
        now: () => clock.now() + this.wallStepMs,
        after: (delayMs, fn) => clock.after(delayMs, () => this.alive && fn()),
      },
    });
    this.running = this.elector.run(async (signal) => {
      this.inLead++;
      const { promise, resolve } = Promise.withResolvers<void>();
      const stopMs = random() * 300; // work takes a while to stop
      signal.addEventListener('abort', () => void clock.after(stopMs, resolve), { once: true });
      if (!signal.aborted) await promise;
      this.inLead--;
      if (this.#controller.signal.aborted) this.allowedAtMs = undefined; // released only now: its writes have settled
    }, this.#controller.signal);
  }

  kill(): void {
    this.alive = false;
    this.client.transit = () => ({ thereMs: 0, backMs: 0, lost: 'request' });
  }

  stop(): void {
    this.#controller.abort();
  }

  mayWrite(): boolean {
    if (!this.alive) return false;
    try {
      this.elector.assertHeld();
      return true;
    } catch {
      return false;
    }
  }
}

/** A small cluster in which the leader dies again and again. */
class Chaos {
  readonly clock = new FakeClock();
  readonly server = new LeaseServer(this.clock);
  readonly random: () => number;
  readonly violations: string[] = [];
  #replicas: Replica[] = [];
  #started = 0;
  /** How unreliable the roads are: 0 none, 1 a third of all requests go wrong. */
  trouble = 0;
  outage = false;

  constructor(seed: number) {
    const random = new SeededRandom(seed);
    this.random = () => random.next();
  }

  get leader(): Replica | undefined {
    return this.#replicas.find((replica) => replica.mayWrite());
  }

  get replicas(): readonly Replica[] {
    return this.#replicas;
  }

  startReplica(): void {
    const replica = new Replica(`replica-${this.#started++}`, this.server, this.random);
    replica.client.transit = () => this.#transit();
    this.#replicas.push(replica);
  }

  remove(replica: Replica): void {
    this.#replicas = this.#replicas.filter((other) => other !== replica);
  }

  async run(durationMs: number, until: () => boolean = () => false): Promise<number> {
    const startMs = this.clock.now();
    while (this.clock.now() - startMs < durationMs && !until()) {
      await this.clock.advance(LOOK_MS);
      this.#look();
    }
    return this.clock.now() - startMs;
  }

  #look(): void {
    const nowMs = this.clock.now();
    const holders = this.#replicas.filter((replica) => replica.mayWrite());
    if (holders.length > 1)
      this.violations.push(`${nowMs}: ${holders.map((h) => h.identity).join(' and ')} lead`);
    for (const replica of this.#replicas) {
      if (replica.inLead > 1) this.violations.push(`${nowMs}: ${replica.identity} leads twice`);
    }
    for (const holder of holders) {
      for (const other of this.#allReplicas) {
        const allowedAtMs = other === holder ? undefined : other.allowedAtMs;
        if (allowedAtMs !== undefined && nowMs - allowedAtMs < WRITE_MS) {
          this.violations.push(`${nowMs}: ${other.identity} may still write beside ${holder.identity}`);
        }
      }
      holder.allowedAtMs = nowMs;
      this.#allReplicas.add(holder);
    }
  }

  /** Those whose writes may be running, dead ones too. */
  readonly #allReplicas = new Set<Replica>();

  #transit(): Transit {
    const { random } = this;
    if (this.outage)
      return random() < 0.5
        ? { thereMs: 0, backMs: 0, lost: 'refused' }
        : { thereMs: 0, backMs: 0, lost: 'request' };
    const slow = random() < this.trouble / 3 ? 6_000 : 50;
    const thereMs = random() * slow;
    const backMs = random() * slow;
    const lost =
      random() < this.trouble / 3
        ? (['request', 'answer', 'refused'] as const)[Math.floor(random() * 3)]
        : undefined;
    return { thereMs, backMs, ...(lost && { lost }) };
  }
}

describe('LeaderElector under random kills and outages', () => {
  it.each(Array.from({ length: 12 }, (_, seed) => seed))(
    'never has two that may write, and replaces a crashed leader within 20 s (seed %i)',
    async (seed) => {
      const chaos = new Chaos(seed);
      const { random } = chaos;
      const takeoversMs: number[] = [];
      for (let number = 0; number < REPLICAS; number++) chaos.startReplica();
      await chaos.run(60_000, () => chaos.leader !== undefined);

      for (let kill = 0; kill < KILLS; kill++) {
        // Trouble: slow and lost requests, clocks that step, now and then no API server at all.
        chaos.trouble = random();
        for (let episode = 0; episode < 3; episode++) {
          const victim = chaos.replicas[Math.floor(random() * REPLICAS)];
          if (victim && random() < 0.3) victim.wallStepMs += (random() - 0.5) * 120_000;
          chaos.outage = random() < 0.3;
          await chaos.run(random() * 15_000);
        }
        // Calm, until there is a leader and everybody has seen it renew.
        chaos.trouble = 0;
        chaos.outage = false;
        await chaos.run(60_000, () => chaos.leader !== undefined);
        await chaos.run(6_000 + random() * 6_000);

        const { leader } = chaos;
        if (!leader) throw new Error('no leader in calm times');
        leader.kill();
        chaos.remove(leader);
        takeoversMs.push(await chaos.run(60_000, () => chaos.leader !== undefined));
        chaos.startReplica();
      }

      expect(chaos.violations).toEqual([]);
      expect(takeoversMs).toHaveLength(KILLS);
      expect(Math.max(...takeoversMs)).toBeLessThanOrEqual(20_000);

      for (const replica of chaos.replicas) replica.stop();
      await chaos.clock.advance(60_000);
      await Promise.all(chaos.replicas.map((replica) => replica.running));
      expect(chaos.server.holder).toBe('');
      expect(chaos.clock.pendingTimers).toBe(0);
    },
  );

  it.each(Array.from({ length: 5 }, (_, seed) => seed))(
    'hands over within one jittered retry period when leaders stop in good order (seed %i)',
    async (seed) => {
      const chaos = new Chaos(1_000 + seed);
      for (let number = 0; number < REPLICAS; number++) chaos.startReplica();
      await chaos.run(10_000);
      for (let stop = 0; stop < 10; stop++) {
        const { leader } = chaos;
        if (!leader) throw new Error('no leader in calm times');
        leader.stop();
        // Its work stops within 300 ms; then 2.2 retry periods and six times 50 ms on the road
        const handedOver = () => chaos.leader !== undefined && chaos.leader !== leader;
        expect(await chaos.run(60_000, handedOver)).toBeLessThanOrEqual(300 + 4_400 + 300);
        chaos.remove(leader);
        chaos.startReplica();
        await chaos.run(10_000);
      }
      expect(chaos.violations).toEqual([]);
    },
  );
});
