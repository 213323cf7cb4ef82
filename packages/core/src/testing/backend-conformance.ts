import { describe, expect, it } from 'vitest';
import type { FenceRecord } from '../model/fence-record.ts';
import type { FenceState } from '../model/fence-state.ts';
import { describeAddresses, type StorageAddress } from '../model/storage-address.ts';
import { EMPTY_QUERY, type StorageQuery, type StorageVolume } from '../model/storage-query.ts';
import type { NodeEvidence, StorageReading } from '../model/storage-reading.ts';
import type { StorageBackend } from '../ports/storage-backend.ts';

/** A backend with two hosts that have talked to it for long enough to be known, each with one volume. */
export interface BackendWorld extends AsyncDisposable {
  /** Started. */
  readonly backend: StorageBackend;
  readonly addressA: StorageAddress;
  readonly addressB: StorageAddress;
  /** The volume of host a, as its PersistentVolume names it. */
  readonly volumeA: StorageVolume;
  now(): number;
  /** Time passes for the hosts, the backend and its clock. */
  advance(ms: number): Promise<void>;
  /** Host a loses power. */
  powerOffA(): void;
  /** A write of host a; whether the backend accepted it. */
  writeA(): Promise<boolean>;
  setReachable(isReachable: boolean): Promise<void>;
}

const NEVER = new AbortController().signal;
const POLL_MS = 2_000;
/** Within so long a host without power is silent, and its fence effective. */
const DECIDED_MS = 120_000;

/** States what every storage backend must do. Call it from a test file of the backend's package. */
export function describeBackend(name: string, createWorld: () => Promise<BackendWorld>): void {
  describe(`${name} is a storage backend`, () => {
    it('names itself and says as data what it can do', async () => {
      await using world = await createWorld();
      const { backend, addressA } = world;
      expect([backend.name, backend.kind]).not.toContain('');
      expect(backend.capabilities.addressKinds).toContain(addressA.kind);
      expect(backend.capabilities.canFence).toBe(true);
    });

    it('refuses to be started twice', async () => {
      await using world = await createWorld();
      expect(() => world.backend.start(NEVER)).toThrow(TypeError);
    });

    it('answers about every suspect, and keeps the reading', async () => {
      await using world = await createWorld();
      const said = await read(world);
      expect([...said.evidence.keys()]).toEqual(['node-a']);
      expect([...said.fenceStates.keys()]).toEqual(['node-a']);
      expect(said.volumes).toEqual(new Set([world.volumeA.volumeHandle]));
      expect(world.backend.lastReading).toBe(said);
      expect(world.backend.health().connected).toBe(true);
    });

    it('dates a reading to when it was requested, never later', async () => {
      await using world = await createWorld();
      const beforeMs = world.now();
      const said = await read(world);
      expect(said.observedAtMs).toBeGreaterThanOrEqual(beforeMs);
      expect(said.observedAtMs).toBeLessThanOrEqual(world.now());
      for (const evidence of said.evidence.values())
        expect(evidence.observedAtMs).toBeLessThanOrEqual(world.now());
    });

    it('says nothing of nodes when none is asked about', async () => {
      await using world = await createWorld();
      const said = await world.backend.observe(EMPTY_QUERY, NEVER);
      expect([said.evidence.size, said.fenceStates.size, said.unattributed]).toEqual([0, 0, []]);
    });

    it('calls a host that talks live, and one without power silent, with words that prove it', async () => {
      await using world = await createWorld();
      expect((await read(world)).evidence.get('node-a')).toMatchObject({ kind: 'live' });
      world.powerOffA();
      const offMs = world.now();
      const silent = await until(world, (said) => said.evidence.get('node-a')?.kind === 'silent');
      const evidence = silent.evidence.get('node-a');
      expect(evidence).toMatchObject({ detail: expect.stringMatching(/\S/) });
      expect(silenceOf(evidence)).toBeLessThanOrEqual(offMs + 15_000);
    });

    it('knows nothing of a node without an address, nor of one that never talked', async () => {
      await using world = await createWorld();
      const strange = { kind: world.addressA.kind, value: `${world.addressA.value}9` } as const;
      for (const addresses of [[], [strange]]) {
        const query = { suspects: [{ name: 'node-z', addresses, volumes: [] }], peers: known(world) };
        const said = await world.backend.observe(query, NEVER);
        expect(said.evidence.get('node-z')).toMatchObject({ kind: 'unknown' });
      }
    });

    it('does not list a volume that it does not export', async () => {
      await using world = await createWorld();
      const volume = { volumeHandle: 'no-such-volume', volumeAttributes: {}, singleWriter: true };
      const said = await world.backend.observe(queryAbout(world, [volume]), NEVER);
      expect(said.volumes).toEqual(new Set());
    });

    it('turns a fault into unknown evidence, keeps the last reading, and recovers', async () => {
      await using world = await createWorld();
      const last = await read(world);
      await world.setReachable(false);
      const said = await read(world);
      expect(said.evidence.get('node-a')).toMatchObject({ kind: 'unknown' });
      expect([said.fences, said.fenceStates.get('node-a')]).toEqual([undefined, undefined]);
      expect(world.backend.lastReading).toBe(last);
      await world.setReachable(true);
      await until(world, ({ evidence }) => evidence.get('node-a')?.kind === 'live');
    });

    it('rejects with the reason of its caller and with nothing else', async () => {
      await using world = await createWorld();
      const gaveUp = new Error('gave up');
      await expect(world.backend.observe(queryAbout(world), AbortSignal.abort(gaveUp))).rejects.toBe(gaveUp);
    });

    it('fences a host: nothing of it is accepted, and the fence is read back with its record', async () => {
      await using world = await createWorld();
      expect((await read(world)).fenceStates.get('node-a')).toMatchObject({
        kind: 'open',
        addresses: [world.addressA],
      });
      const record = recordFor(world);
      await world.backend.fence(record, [world.addressA], NEVER);
      expect(await world.writeA()).toBe(false);
      const [fence] = (await read(world)).fences ?? [];
      expect(fence).toMatchObject({
        id: record.id,
        nodeName: 'node-a',
        nodeUid: record.nodeUid,
        bootId: record.bootId,
      });
      expect(describeAddresses(fence?.inForce ?? [])).toBe(describeAddresses([world.addressA]));
    });

    it('goes from quiescing to effective, says until when and what proves it', async () => {
      await using world = await createWorld();
      await world.backend.fence(recordFor(world), [world.addressA], NEVER);
      const first = (await read(world)).fenceStates.get('node-a');
      expect(first?.kind).toBe('quiescing');
      expect(untilOf(first)).toBeGreaterThan(world.now() - 1);
      const said = await until(world, ({ fenceStates }) => fenceStates.get('node-a')?.kind === 'effective');
      expect(said.fenceStates.get('node-a')).toMatchObject({ why: expect.stringMatching(/\S/) });
    });

    it('judges a fence by identity: that of another boot, cluster, owner or uid leaves the node open', async () => {
      await using world = await createWorld();
      await world.backend.fence(recordFor(world), [world.addressA], NEVER);
      for (const other of [{ bootId: 'other' }, { uid: 'other' }, { machineId: 'other' }]) {
        const query = queryAbout(world);
        const suspects = query.suspects.map((suspect) => ({ ...suspect, ...other }));
        const said = await world.backend.observe({ ...query, suspects }, NEVER);
        expect(said.fenceStates.get('node-a')?.kind).toBe('open');
      }
      for (const other of [{ clusterId: 'other' }, { owner: 'other' }]) {
        const said = await world.backend.observe({ ...queryAbout(world), ...other }, NEVER);
        expect(said.fenceStates.get('node-a')?.kind).toBe('open');
      }
    });

    it('fences and unfences idempotently, and lifts only the fence it is given', async () => {
      await using world = await createWorld();
      const record = recordFor(world);
      const other = {
        ...record,
        id: 'deadbeef',
        nodeName: 'node-b',
        nodeUid: 'uid-b',
        addresses: [world.addressB],
      };
      for (let time = 0; time < 2; time++) await world.backend.fence(record, [world.addressA], NEVER);
      await world.backend.fence(other, [world.addressB], NEVER);
      const fences = (await read(world)).fences ?? [];
      expect(fences.map(({ id }) => id).toSorted()).toEqual(['00c0ffee', 'deadbeef']);
      const own = fences.filter(({ id }) => id === record.id);
      for (let time = 0; time < 2; time++) {
        for (const fence of own) await world.backend.unfence(fence, NEVER);
      }
      expect((await read(world)).fences?.map(({ id }) => id)).toEqual(['deadbeef']);
    });

    it('rejects a change that it could not make', async () => {
      await using world = await createWorld();
      await world.setReachable(false);
      await expect(world.backend.fence(recordFor(world), [world.addressA], NEVER)).rejects.toBeInstanceOf(
        Error,
      );
    });
  });
}

function known(world: BackendWorld): StorageQuery['peers'] {
  return [
    { name: 'node-a', addresses: [world.addressA] },
    { name: 'node-b', addresses: [world.addressB] },
  ];
}

function queryAbout(world: BackendWorld, volumes: readonly StorageVolume[] = [world.volumeA]): StorageQuery {
  const identity = { uid: 'uid-a', machineId: 'machine-a', bootId: 'boot-a' };
  return {
    clusterId: 'cluster-1',
    owner: 'test.csi',
    suspects: [{ name: 'node-a', ...identity, addresses: [world.addressA], volumes }],
    peers: [{ name: 'node-b', addresses: [world.addressB] }],
  };
}

function recordFor(world: BackendWorld): FenceRecord {
  return {
    id: '00c0ffee',
    clusterId: 'cluster-1',
    owner: 'test.csi',
    nodeName: 'node-a',
    nodeUid: 'uid-a',
    machineId: 'machine-a',
    bootId: 'boot-a',
    addresses: [world.addressA],
    fencedAtMs: world.now() + 0.5, // a clock may give fractions
  };
}

function read(world: BackendWorld): Promise<StorageReading> {
  return world.backend.observe(queryAbout(world), NEVER);
}

/** The first reading that fulfils a condition. @throws when none does in time */
async function until(
  world: BackendWorld,
  condition: (said: StorageReading) => boolean,
): Promise<StorageReading> {
  for (let passedMs = 0; passedMs < DECIDED_MS; passedMs += POLL_MS) {
    const said = await read(world);
    if (condition(said)) return said;
    await world.advance(POLL_MS);
  }
  const { evidence, fenceStates } = await read(world);
  throw new Error(`Not within ${DECIDED_MS} ms: ${JSON.stringify([...evidence, ...fenceStates])}`);
}

function silenceOf(evidence: NodeEvidence | undefined): number {
  return evidence?.kind === 'silent' ? evidence.silentSinceMs : Number.POSITIVE_INFINITY;
}

function untilOf(state: FenceState | undefined): number {
  return state?.kind === 'quiescing' ? state.untilMs : Number.NEGATIVE_INFINITY;
}
