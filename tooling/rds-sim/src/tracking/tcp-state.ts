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

function parse(direction: 'original' | 'reply'): ReadonlyMap<string, Transition> {
  const transitions = new Map<string, Transition>();
  for (const [kind, row] of Object.entries(TABLE[direction])) {
    for (const [index, short] of row.split(' ').entries()) {
      transitions.set(`${ORDER[index]} ${kind}`, NAMES[short] ?? 'invalid');
    }
  }
  return transitions;
}

const PARSED = { original: parse('original'), reply: parse('reply') } as const;

/** What a packet makes of an entry; `none`: there is no entry yet. Data counts as an acknowledgement. */
export function transition(
  from: TcpState | 'none',
  direction: 'original' | 'reply',
  kind: PacketKind,
): Transition {
  return PARSED[direction].get(`${from} ${kind === 'data' ? 'ack' : kind}`) ?? 'invalid';
}
