import { ipAddresses } from '@reattach/core';
import { eventOf, HOSTS, type RecordingName, readRecording } from '@reattach/recordings';
import { describe, expect, it } from 'vitest';
import { type BackendState, foldReading, INITIAL_STATE } from './backend-state.ts';
import { foldFences, NO_FENCES } from './fence-history.ts';
import { interpretReading } from './interpret.ts';
import type { TcpReading } from './tcp-reading.ts';

const EPOCH_MS = 1_800_000_000_000;

/** The states of host b's fence at each listing of the target's sockets, with the writes that had landed by then. */
function judged(name: RecordingName) {
  const recording = readRecording(name);
  const { atMs: offMs } = eventOf(recording, name.endsWith('power') ? 'power-off' : 'fence');
  const [address] = ipAddresses([HOSTS.b]);
  if (!address) throw new TypeError('no address');
  const record = { id: '00c0ffee', nodeName: 'b', addresses: [address], fencedAtMs: EPOCH_MS };
  const query = { suspects: [{ name: 'b', addresses: [address], volumes: [] }], peers: [] };
  let state: BackendState = INITIAL_STATE;
  let history = NO_FENCES;
  return recording.socketReadings
    .filter(({ atMs }) => atMs > offMs)
    .map(({ atMs, sockets, writes = 0 }) => {
      const reading: TcpReading = {
        source: 'sockets',
        requestedAtMs: EPOCH_MS + atMs - 5,
        receivedAtMs: EPOCH_MS + atMs,
        uptimeMs: atMs,
        uptimeRequestedAtMs: EPOCH_MS + atMs - 5,
        uptimeReceivedAtMs: EPOCH_MS + atMs,
        resolutionMs: 1,
        closingTimeoutMs: 0,
        sessions: sockets.map(({ state: socket, hostAddress, hostPort }) => ({
          host: hostAddress,
          hostPort,
          port: 4420,
          phase: socket === 'ESTAB' ? ('established' as const) : ('closing' as const),
        })),
        controls: [],
        counters: new Map(),
        inFlightIsComplete: false,
      };
      state = foldReading(state, reading, query);
      const folded = foldFences(history, [{ record, address, standing: 'in-force' }], {
        isEnforced: true,
        receivedAtMs: reading.receivedAtMs,
      });
      history = folded.history;
      const said = interpretReading({
        query,
        reading,
        state,
        fences: folded.fences,
        enforcement: { kind: 'enforced' },
        volumes: new Map(),
        options: { activityWindowMs: 15_000 },
      });
      return { kind: said.fenceStates.get('b')?.kind, sockets: sockets.length, writes };
    });
}

describe("a backend's own sockets", () => {
  it.each<RecordingName>(['S2-15s-fence', 'S2-15s-power', 'S2-45s-fence'])(
    '%s: no socket of the host left means that every accepted write has landed',
    (name) => {
      const steps = judged(name);
      expect(steps.length).toBeGreaterThan(1);
      const withSockets = steps.filter(({ sockets }) => sockets > 0);
      expect(new Set(withSockets.map(({ kind }) => kind))).toEqual(new Set(['quiescing']));
      const effective = steps.filter(({ kind }) => kind === 'effective');
      expect(effective.map(({ writes }) => writes)).toEqual(effective.map(() => 4));
      expect(steps.at(-1)).toMatchObject({ kind: 'effective', sockets: 0, writes: 4 });
    },
  );
});
