import { describe, expect, it } from 'vitest';
import { parseConntrackRow } from './conntrack-row.ts';

const TAIL = 'mark=0 zone=0 use=2';

describe('parseConntrackRow', () => {
  it('reads an established connection of a host', () => {
    const line = `ipv4     2 tcp      6 86399 ESTABLISHED src=10.9.0.21 dst=10.9.0.10 sport=48000 dport=4420 packets=26 bytes=2000 src=10.9.0.10 dst=10.9.0.21 sport=4420 dport=48000 packets=25 bytes=9000 [ASSURED] ${TAIL}`;
    expect(parseConntrackRow(line, 4420, 1_000_000)).toEqual({
      host: { address: '10.9.0.21', port: 48_000 },
      target: { address: '10.9.0.10', port: 4420 },
      isHostOriginal: true,
      state: 'established',
      expiresAtMs: 87_399_000,
      hasSeenReply: true,
      isAssured: true,
      originalPackets: 26,
      originalBytes: 2000,
      replyPackets: 25,
      replyBytes: 9000,
    });
  });

  it('reads one that was learned from a packet of the target', () => {
    const line = `ipv4     2 tcp      6 299 ESTABLISHED src=10.9.0.10 dst=10.9.0.21 sport=4420 dport=48000 packets=1 bytes=60 [UNREPLIED] src=10.9.0.21 dst=10.9.0.10 sport=48000 dport=4420 packets=0 bytes=0 ${TAIL}`;
    expect(parseConntrackRow(line, 4420, 0)).toMatchObject({
      host: { address: '10.9.0.21', port: 48_000 },
      isHostOriginal: false,
      hasSeenReply: false,
      isAssured: false,
    });
  });

  it('refuses a line without counters', () => {
    expect(() => parseConntrackRow('ipv4 2 udp 17 29 src=1.1.1.1', 4420, 0)).toThrow('with counters');
  });
});
