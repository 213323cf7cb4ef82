/** What a controller needs of its machine. */
export interface Machine {
  readonly name: string;
  /** Whether packets leave the machine for the device, and arrive from it. */
  readonly canSend: boolean;
  readonly canReceive: boolean;
  /** A TCP port that no connection of the machine uses. */
  nextPort(): number;
}
