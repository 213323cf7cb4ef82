import { ipAddresses } from '@reattach/core';
import { describe, expect, it } from 'vitest';
import { type BackendState, foldReading, INITIAL_STATE } from '../../src/backend-state.ts';
import { foldFences, NO_FENCES } from '../../src/fence-history.ts';
import { interpretReading } from '../../src/interpret.ts';
import type { TcpReading } from '../../src/tcp-reading.ts';
import { A, B, fenceOf, Scene, WINDOW_MS } from '../support/scene.ts';

/*
 * A RST of the host, whose kernel restarted or gave up, closes a queue at once while its commands run on: measured on Linux 6.1 with
 * a disk of 30 s, the write landed half a minute later (deploy/linux-target/PROTOCOL.md).
 */
describe('a queue in connection tracking that closed before the fence', () => {
  it('proves nothing when the host sent a packet meanwhile: it may have been its RST', () => {
    const s = new Scene();
    const a = s.host(A);
    s.host(B);
    s.readFor(60_000);
    s.reset(a);
    s.readFor(4_000);
    a.phase = undefined;
    s.fence(A);
    expect(fenceOf(s.readFor(30_000))).toBe('quiesce-unproved');
  });

  it('proves nothing even when the host went on speaking over another queue: its disk may be slower than any window', () => {
    const s = new Scene();
    const reset = s.host(A);
    const admin = s.host(A);
    s.host(B);
    s.readFor(60_000);
    s.reset(reset);
    s.readFor(10_000);
    reset.phase = undefined;
    s.readFor(2 * WINDOW_MS); // the host lives on for longer than the window
    admin.isSpeaking = false;
    s.readFor(10_000);
    admin.phase = 'closed'; // by the target: no packet of the host
    s.readFor(4_000);
    admin.phase = undefined;
    s.fence(A);
    expect(fenceOf(s.readFor(30_000))).toBe('quiesce-unproved');
  });

  it.each([0, 1, 2, 3])(
    'is done when it is read every 4 s, whenever power goes: the target closes 5 s after the last packet at the earliest (offset %i s)',
    (offsetSeconds) => {
      const s = new Scene();
      const a = s.host(A);
      s.host(B);
      s.readFor(60_000, 4_000);
      s.advance(offsetSeconds * 1_000);
      a.isSpeaking = false;
      let sinceReadMs = offsetSeconds * 1_000;
      for (let silentMs = 0; silentMs < 10_000; silentMs += 1_000) {
        s.advance(1_000);
        if (silentMs + 1_000 === 5_000) a.phase = 'closed';
        sinceReadMs += 1_000;
        if (sinceReadMs % 4_000 === 0) s.read();
      }
      a.phase = undefined;
      s.fence(A);
      expect(fenceOf(s.readFor(30_000))).toBe('effective');
    },
  );

  it('is done when the host sent nothing meanwhile: the target closed it', () => {
    const s = new Scene();
    const a = s.host(A);
    s.host(B);
    s.readFor(60_000);
    a.isSpeaking = false;
    s.readFor(10_000);
    a.phase = 'closed';
    s.readFor(4_000);
    a.phase = undefined;
    s.fence(A);
    expect(fenceOf(s.readFor(30_000))).toBe('effective');
  });
});

/** A fenced host at a backend that shows its sockets, one reading every `everyMs`. */
function socketWorld() {
  let state: BackendState = INITIAL_STATE;
  let history = NO_FENCES;
  let nowMs = 1_800_000_000_000;
  const [address] = ipAddresses([A]);
  if (!address) throw new TypeError('no address');
  const record = { id: '00c0ffee', nodeName: 'a', addresses: [address], fencedAtMs: nowMs };
  const query = { suspects: [{ name: 'a', addresses: [address], volumes: [] }], peers: [] };
  return (facts: { sockets: number; danglingQueues?: number; fenced: boolean }) => {
    nowMs += 2_000;
    const reading: TcpReading = {
      source: 'sockets',
      requestedAtMs: nowMs,
      receivedAtMs: nowMs,
      uptimeMs: nowMs - 1_700_000_000_000,
      uptimeRequestedAtMs: nowMs,
      uptimeReceivedAtMs: nowMs,
      resolutionMs: 1,
      closingTimeoutMs: 0,
      danglingQueues: facts.danglingQueues,
      sessions: Array.from({ length: facts.sockets }, (_, port) => ({
        host: A,
        hostPort: port,
        port: 4420,
        phase: 'established',
      })),
      controls: [],
      counters: new Map(),
      inFlightIsComplete: false,
    };
    state = foldReading(state, reading, query);
    const entries = facts.fenced ? [{ record, address, standing: 'in-force' as const }] : [];
    const folded = foldFences(history, entries, { isEnforced: true, receivedAtMs: nowMs });
    history = folded.history;
    return fenceOf(
      interpretReading({
        query,
        reading,
        state,
        fences: folded.fences,
        enforcement: { kind: 'enforced' },
        volumes: new Map(),
        options: { activityWindowMs: 15_000 },
      }),
    );
  };
}

describe('sockets that were gone before the fence', () => {
  it('prove nothing where the backend does not show queues that outlive them', () => {
    const read = socketWorld();
    read({ sockets: 1, fenced: false });
    read({ sockets: 0, fenced: false });
    read({ sockets: 0, fenced: true });
    expect(read({ sockets: 0, fenced: true })).toBe('quiesce-unproved');
  });

  it('are not enough while a queue without a connection runs, and need two readings after it', () => {
    const read = socketWorld();
    read({ sockets: 1, danglingQueues: 0, fenced: false });
    read({ sockets: 0, danglingQueues: 1, fenced: true });
    expect(read({ sockets: 0, danglingQueues: 1, fenced: true })).toBe('quiescing');
    expect(read({ sockets: 0, danglingQueues: 0, fenced: true })).toBe('quiescing');
    expect(read({ sockets: 0, danglingQueues: 0, fenced: true })).toBe('effective');
  });
});
