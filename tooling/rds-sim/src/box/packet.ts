/** A TCP segment on its way from a host to the box. */
export interface Packet {
  /** `open`: the first of a connection. `close`: the last, sent by a host that ends it properly. */
  readonly kind: 'open' | 'data' | 'close';
  readonly srcAddress: string;
  readonly srcPort: number;
  readonly dstAddress: string;
  readonly dstPort: number;
  readonly sizeBytes: number;
}
