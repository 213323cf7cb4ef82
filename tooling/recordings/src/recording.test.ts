import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseConntrackRow } from './conntrack-row.ts';
import { eventOf, HOSTS, type RecordingName, readRecording, TARGET, writesLanded } from './recording.ts';
import { parseProcTcpRow } from './socket-row.ts';

const NAMES = readdirSync(new URL('../data', import.meta.url))
  .filter((file) => file.endsWith('-run.log'))
  .map((file) => file.replace('-run.log', '') as RecordingName);

describe('readRecording', () => {
  it.each(NAMES)('%s has events in order and either samples or listings of sockets', (name) => {
    const { events, samples, socketReadings } = readRecording(name);
    expect(events.map(({ atMs }) => atMs)).toEqual(events.map(({ atMs }) => atMs).toSorted((x, y) => x - y));
    expect(samples.length + socketReadings.length).toBeGreaterThan(0);
    expect(samples.every((s, i) => i === 0 || s.atMs >= (samples[i - 1]?.atMs ?? 0))).toBe(true);
  });

  it.each([
    ['B', 'power-off', 101_431],
    ['C', 'cut', 147_259],
    ['C', 'healed', 284_179],
    ['C', 'power-cycle', 309_633],
    ['C', 'host-back', 327_137],
    ['D', 'fence', 50_656],
    ['D', 'unfence', 115_082],
    ['D', 'new-writer', 114_846],
    ['D2', 'fence', 88_884],
    ['D2', 'power-off', 135_062],
    ['G', 'flush', 202_479],
    ['G', 'target-reboot', 284_632],
    ['T', 'only-raw-rule-left', 30_120],
    ['T', 'tracking-rule-back', 43_189],
    ['T', 'fence', 57_483],
    ['T2', 'fence', 37_834],
    ['S', 'power-off', 22_742],
    ['S2-15s-fence', 'fence', 10_956],
    ['S2-15s-power', 'power-off', 10_155],
  ] as const)('%s has the event %s at %i ms', (name, kind, atMs) => {
    expect(eventOf(readRecording(name), kind).atMs).toBe(atMs);
  });

  it('names the recording that lacks an event', () => {
    expect(() => eventOf(readRecording('A'), 'fence')).toThrow('Recording A has no event fence number 0');
  });

  it('shows the writes of the 15 s disk land 13.7 s after the fence', () => {
    const recording = readRecording('T');
    const fencedAtMs = eventOf(recording, 'fence').atMs;
    expect(writesLanded(recording, 'nullb1').filter(({ atMs }) => atMs > fencedAtMs)).toEqual([
      { atMs: expect.closeTo(fencedAtMs + 13_660, -3), writes: 4 },
    ]);
  });

  it('has the listings of ss: the socket of a queue leaves when its writes are done', () => {
    const readings = readRecording('S2-15s-fence').socketReadings;
    expect(readings.map(({ sockets, writes }) => [sockets.map(({ state }) => state), writes])).toEqual([
      [['ESTAB', 'ESTAB'], 0],
      [['FIN-WAIT-1'], 0],
      [[], 4],
    ]);
    const idle = readRecording('S').socketReadings;
    expect(idle[0]?.sockets).toHaveLength(5);
    expect(idle[0]?.sockets[0]).toEqual({
      state: 'ESTAB',
      hostAddress: HOSTS.a,
      hostPort: 33_548,
      bytesReceived: 1440,
      lastSentMs: 9992,
      lastReceivedMs: 9992,
    });
    expect(idle.at(-1)?.sockets.map(({ hostAddress }) => hostAddress)).toEqual([HOSTS.b, HOSTS.b]);
  });

  it('has the second boot of the target in G', () => {
    const { samples } = readRecording('G');
    const second = samples.filter(({ targetBoot }) => targetBoot === 2);
    expect(second[0]?.conntrack).toEqual([]);
    expect(second.at(-1)?.conntrack.length).toBeGreaterThan(0);
  });
});

const row = (text: string) =>
  parseConntrackRow(`ipv4     2 tcp      6 ${text} mark=0 zone=0 use=2`, TARGET.port);

describe('parseConntrackRow', () => {
  it('finds the host in a row of either direction', () => {
    const reversed = row(
      '300 ESTABLISHED src=10.9.0.10 dst=10.9.0.21 sport=4420 dport=33888 packets=380 bytes=24320 src=10.9.0.21 dst=10.9.0.10 sport=33888 dport=4420 packets=190 bytes=801800 [ASSURED]',
    );
    expect(reversed).toMatchObject({
      hostAddress: HOSTS.a,
      hostPort: 33_888,
      hostPackets: 190,
      targetPackets: 380,
      assured: true,
      unreplied: false,
      timeoutSeconds: 300,
    });
  });

  it('reads [UNREPLIED]', () => {
    expect(
      row(
        '298 ESTABLISHED src=10.9.0.22 dst=10.9.0.10 sport=39540 dport=4420 packets=1 bytes=52 [UNREPLIED] src=10.9.0.10 dst=10.9.0.22 sport=4420 dport=39540 packets=0 bytes=0',
      ),
    ).toMatchObject({ unreplied: true, assured: false, hostPackets: 1, targetPackets: 0 });
  });

  it('refuses other text', () => {
    expect(() => row('nonsense')).toThrow(TypeError);
  });
});

describe('parseProcTcpRow', () => {
  it('decodes address, port and state', () => {
    expect(
      parseProcTcpRow('   2: 0A00090A:1144 1500090A:EE20 04 00000000:00000000 00:00000000 00000000     0'),
    ).toEqual({ state: 'FIN-WAIT-1', hostAddress: '10.9.0.21', hostPort: 60_960 });
  });

  it('refuses other text', () => {
    expect(() => parseProcTcpRow('nonsense')).toThrow(TypeError);
  });
});
