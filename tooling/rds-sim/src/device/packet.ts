/** A TCP segment on its way from a host to the device. */
export interface Packet {
  /**
   * `open`: the first of a connection. `data`: what the device has acknowledged at once. `request`: what it has not, until an
   * `acknowledgement` for its own answer comes. `close`: the last, sent by a host that ends it properly.
   */
  readonly kind: 'open' | 'data' | 'request' | 'acknowledgement' | 'close';
  readonly srcAddress: string;
  readonly srcPort: number;
  readonly dstAddress: string;
  readonly dstPort: number;
  readonly sizeBytes: number;
}
