import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Effect, LostDecision, PassReport } from '@reattach/core';
import { ipAddresses } from '@reattach/core';
import {
  FakeClock,
  nodeFact,
  persistentVolumeFact,
  podFact,
  RecordingLogger,
  volumeAttachmentFact,
} from '@reattach/core/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AuditFile } from './audit-file.ts';
import { AuditLog } from './audit-log.ts';
import { auditRoutes } from './audit-routes.ts';

const clock = new FakeClock();
const { signal } = new AbortController();
const nowMs = clock.now();
const node = nodeFact({ ready: false });
const addresses = ipAddresses(['10.0.0.11']);
const fence = { id: 'f1', nodeName: 'node-a', nodeUid: 'uid-of-node-a', addresses, fencedAtMs: nowMs };
const standing = { ...fence, inForce: addresses, seenSinceMs: nowMs };

const decision: LostDecision = {
  attachment: volumeAttachmentFact(),
  volume: persistentVolumeFact(),
  vmMigrating: false,
  node: { kind: 'not-ready', name: 'node-a', node, sinceMs: nowMs - 40_000 },
  evidence: {
    kind: 'silent',
    observedAtMs: nowMs,
    silentSinceMs: nowMs - 25_000,
    detail: 'nothing since 12:00',
  },
  fence: { kind: 'effective', fence: standing, why: 'proved' },
  rule: 'mode-fence',
  verdict: { kind: 'release', why: 'Node has been NotReady for 40.0 s' },
};

const released: Effect = { kind: 'detach-requested', decision, strategy: 'in-use' };

function report(...effects: readonly Effect[]): PassReport {
  return {
    nowMs,
    reconcileId: 'r-1',
    decisions: [],
    cleanups: [],
    fences: [],
    effects,
  };
}

const BASE = { atMs: nowMs, reconcileID: 'r-1', node: 'node-a' };
const FACTS = {
  ...BASE,
  nodeUid: 'uid-of-node-a',
  nodeState: 'not-ready',
  lostForMs: 40_000,
  rule: 'mode-fence',
  why: 'Node has been NotReady for 40.0 s',
  evidence: {
    kind: 'silent',
    detail: 'nothing since 12:00',
    observedAtMs: nowMs,
    silentSinceMs: nowMs - 25_000,
  },
};

describe('AuditLog', () => {
  it.each<[string, Effect, object]>([
    [
      'a release',
      released,
      {
        ...FACTS,
        kind: 'released',
        volumeAttachment: 'va-pv-a-node-a',
        persistentVolume: 'pv-a',
        volumeHandle: 'handle-of-pv-a',
        claim: { namespace: 'default', name: 'claim-of-pv-a' },
        fence: { kind: 'effective', id: 'f1', why: 'proved' },
        strategy: 'in-use',
      },
    ],
    [
      'a release in another way, since the first had no effect',
      { kind: 'fell-back', decision, strategy: 'delete' },
      expect.objectContaining({
        kind: 'released',
        persistentVolume: 'pv-a',
        strategy: 'delete',
        fellBack: true,
      }),
    ],
    [
      'a fence',
      { kind: 'fenced', decisions: [decision], fence, addresses: ipAddresses(['10.0.0.11']), isFirst: true },
      {
        ...FACTS,
        kind: 'fenced',
        persistentVolumes: ['pv-a'],
        fence: { id: 'f1', fencedAtMs: nowMs, addresses: ['10.0.0.11'] },
      },
    ],
    [
      'a pod delete',
      { kind: 'pod-deleted', decisions: [decision], pod: podFact() },
      {
        ...FACTS,
        kind: 'pod-deleted',
        persistentVolumes: ['pv-a'],
        pod: { namespace: 'default', name: 'pod-a' },
      },
    ],
    [
      'an unfence',
      {
        kind: 'unfenced',
        cleanup: { kind: 'unfence', backendName: 'backend-a', fence: standing, node, why: 'booted' },
      },
      {
        ...BASE,
        kind: 'unfenced',
        nodeUid: 'uid-of-node-a',
        backend: 'backend-a',
        why: 'booted',
        fence: { id: 'f1', fencedAtMs: nowMs, addresses: ['10.0.0.11'] },
      },
    ],
    [
      'a removed out-of-service taint',
      { kind: 'untainted', cleanup: { kind: 'untaint', node, why: 'booted' } },
      {
        ...BASE,
        kind: 'untainted',
        nodeUid: node.uid,
        why: 'booted',
        taint: 'node.kubernetes.io/out-of-service',
      },
    ],
    [
      'a removed fenced taint',
      { kind: 'fenced-taint-removed', cleanup: { kind: 'remove-fenced-taint', node, why: 'no fence' } },
      { ...BASE, kind: 'untainted', nodeUid: node.uid, why: 'no fence', taint: 'reattach.srvlab.io/fenced' },
    ],
  ])('records %s', async (_what, effect, expected) => {
    const log = new AuditLog({ clock, logger: new RecordingLogger() });
    log.passed(report(effect));
    expect(await log.history(10, signal)).toEqual([expected]);
  });

  it('records nothing of what was not done', async () => {
    const log = new AuditLog({ clock, logger: new RecordingLogger() });
    log.passed(
      report(
        { kind: 'detaching', decision, strategy: 'in-use' },
        { kind: 'superseded', decisions: [decision], why: 'back' },
        { kind: 'failed', step: 'fence', decisions: [decision], err: new Error('x') },
      ),
    );
    expect(await log.history(10, signal)).toEqual([]);
  });

  it('keeps the last thousand', async () => {
    const log = new AuditLog({ clock, logger: new RecordingLogger() });
    log.passed(report(...Array.from({ length: 1_005 }, () => released)));
    expect(await log.history(2_000, signal)).toHaveLength(1_000);
  });

  describe('with a file', () => {
    let folder: string;
    let path: string;
    let logger: RecordingLogger;

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'reattach-audit-'));
      path = join(folder, 'audit.jsonl');
      logger = new RecordingLogger();
    });
    afterEach(() => rm(folder, { recursive: true }));

    const logTo = (file: string, maxBytes = 1_000_000) =>
      new AuditLog({ clock, logger, file: new AuditFile(file, maxBytes) });

    it('writes a line each, which the next process takes up', async () => {
      const log = logTo(path);
      log.passed(report(released, released));
      await log[Symbol.asyncDispose]();
      expect((await lines(path)).map((line) => JSON.parse(line))).toEqual(await log.history(10, signal));
      const next = logTo(path);
      await next.load();
      expect(await next.history(10, signal)).toEqual(await log.history(10, signal));
    });

    it('rotates to one .1, and history spans both', async () => {
      const lineBytes = JSON.stringify(await record()).length + 1;
      const log = logTo(path, 2 * lineBytes);
      for (let time = 0; time < 5; time++) {
        log.passed(report(released));
        await log[Symbol.asyncDispose]();
      }
      expect([(await lines(`${path}.1`)).length, (await lines(path)).length]).toEqual([2, 1]);
      const next = logTo(path);
      await next.load();
      expect(await next.history(10, signal)).toHaveLength(3);
    });

    it('goes on after a line that a crash cut off, and skips it', async () => {
      await writeFile(path, `${JSON.stringify(await record())}\n{"atMs":1,"ki`);
      const log = logTo(path);
      log.passed(report(released));
      await log[Symbol.asyncDispose]();
      expect(await lines(path)).toHaveLength(3);
      const next = logTo(path);
      await next.load();
      expect(await next.history(10, signal)).toHaveLength(2);
    });

    it('logs a failure once, remembers all the same, and writes it when it can again', async () => {
      const missing = join(folder, 'later', 'audit.jsonl');
      const log = logTo(missing);
      for (let time = 0; time < 3; time++) {
        log.passed(report(released));
        await log[Symbol.asyncDispose]();
      }
      expect(logger.messages('warn')).toEqual(['Could not write audit records']);
      expect(await log.history(10, signal)).toHaveLength(3);
      await mkdir(join(folder, 'later'));
      log.passed(report());
      await log[Symbol.asyncDispose]();
      expect(await lines(missing)).toHaveLength(3);
      expect(logger.messages('info')).toEqual(['Wrote audit records again']);
    });

    it('starts without history when the file cannot be read', async () => {
      const log = logTo(folder); // a folder, not a file
      await log.load();
      expect([await log.history(10, signal), logger.messages('warn')]).toEqual([
        [],
        ['Could not read audit file'],
      ]);
    });
  });
});

async function lines(file: string): Promise<readonly string[]> {
  return (await readFile(file, 'utf8')).trimEnd().split('\n');
}

/** One release, as it is written. */
async function record() {
  const log = new AuditLog({ clock, logger: new RecordingLogger() });
  log.passed(report(released));
  return (await log.history(1, signal))[0];
}

describe('auditRoutes', () => {
  it.each([
    ['', 200],
    ['limit=1', 200],
    ['limit=1000', 200],
    ['limit=0', 400],
    ['limit=1001', 400],
    ['limit=ten', 400],
  ])('answers %j with %i', async (query, status) => {
    const [route] = auditRoutes({ history: async () => [] });
    expect((await route?.answer(new URLSearchParams(query)))?.status).toBe(status);
  });
});
