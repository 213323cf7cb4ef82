/** What the firewall makes of the packets of a flow. */
export interface FlowJudgement {
  readonly verdict: 'pass' | 'drop';
  readonly hits: readonly { count(packets: number, bytes: number): void }[];
  readonly isTracked: boolean;
}

/** What a TCP segment is, as far as connection tracking cares. */
export type PacketKind = 'syn' | 'syn-ack' | 'ack' | 'data' | 'fin' | 'rst';

/** A TCP connection between a client (`host`) and a server (`target`), named by its four numbers. */
export class Flow {
  readonly key: string;
  /** The filter chain its packets meet: `input` to the device itself, `forward` through it. */
  readonly chain: 'input' | 'forward';
  readonly hostAddress: string;
  readonly hostPort: number;
  readonly targetAddress: string;
  readonly targetPort: number;
  /** The firewall's last judgement of this flow, with the state for which it holds. */
  judged:
    | { readonly version: number; readonly known: boolean; readonly judgement: FlowJudgement }
    | undefined;

  constructor(
    hostAddress: string,
    hostPort: number,
    targetAddress: string,
    targetPort: number,
    chain: Flow['chain'] = 'input',
  ) {
    this.hostAddress = hostAddress;
    this.hostPort = hostPort;
    this.targetAddress = targetAddress;
    this.targetPort = targetPort;
    this.chain = chain;
    this.key = `${hostAddress}:${hostPort}>${targetAddress}:${targetPort}`;
  }
}
