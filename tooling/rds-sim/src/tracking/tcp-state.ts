import type { PacketKind } from '../nvme/flow.ts';

/** States of a TCP entry, as RouterOS spells them. */
export type TcpState =
  | 'syn-sent'
  | 'syn-received'
  | 'established'
  | 'fin-wait'
  | 'close-wait'
  | 'last-ack'
  | 'time-wait'
  | 'close';

/** `ignore`: the packet passes, and the entry does not change. `invalid`: it belongs to no entry. */
export type Transition = TcpState | 'ignore' | 'invalid';

const ORDER = [
  'none',
  'syn-sent',
  'syn-received',
  'established',
  'fin-wait',
  'close-wait',
  'last-ack',
  'time-wait',
  'close',
] as const;

const NAMES: Readonly<Record<string, Transition>> = {
  iv: 'invalid',
  ig: 'ignore',
  ss: 'syn-sent',
  sr: 'syn-received',
  es: 'established',
  fw: 'fin-wait',
  cw: 'close-wait',
  la: 'last-ack',
  tw: 'time-wait',
  cl: 'close',
};

/** Columns are `ORDER`. From nf_conntrack_proto_tcp.c, without simultaneous opens. */
const TABLE = {
  original: {
    //          none ss sr es fw cw la tw cl
    syn: /*  */ 'ss ss ig ig ig ig ig ss ss',
    'syn-ack': 'iv iv sr iv iv iv iv iv iv',
    fin: /*  */ 'iv iv fw fw la la la tw cl',
    ack: /*  */ 'es iv es es cw cw tw tw cl',
    rst: /*  */ 'iv cl cl cl cl cl cl cl cl',
  },
  reply: {
    syn: /*  */ 'iv iv iv iv iv iv iv ss iv',
    'syn-ack': 'iv sr ig ig ig ig ig ig ig',
    fin: /*  */ 'iv iv fw fw la la la tw cl',
    ack: /*  */ 'iv ig sr es cw cw tw tw cl',
    rst: /*  */ 'iv cl cl cl cl cl cl cl cl',
  },
} as const;

/** For each kind of packet, what it makes of each state. */
type Transitions = Readonly<Partial<Record<PacketKind, Readonly<Record<string, Transition>>>>>;

function parse(direction: 'original' | 'reply'): Transitions {
  return Object.fromEntries(
    Object.entries(TABLE[direction]).map(([kind, row]) => [
      kind,
      Object.fromEntries(row.split(' ').map((short, index) => [ORDER[index], NAMES[short] ?? 'invalid'])),
    ]),
  );
}

const PARSED = { original: parse('original'), reply: parse('reply') } as const;

/** What a packet makes of an entry; `none`: the entry is about to be created. Data counts as an acknowledgement. */
export function transition(
  from: TcpState | 'none',
  direction: 'original' | 'reply',
  kind: PacketKind,
): Transition {
  return PARSED[direction][kind === 'data' ? 'ack' : kind]?.[from] ?? 'invalid';
}
