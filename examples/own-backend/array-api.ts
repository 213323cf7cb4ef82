/** A host that has logged in to the array. */
export interface ArrayHost {
  readonly ip: string;
  /** When its last packet came, epoch ms. */
  readonly lastSeenMs: number;
  /** Commands of the host that the array has accepted and not finished. */
  readonly inFlight: number;
}

/** An entry of the array's block list. `comment` is free text that the array keeps. */
export interface ArrayBlock {
  readonly id: string;
  readonly ips: readonly string[];
  readonly comment: string;
}

/** The management API of an imagined storage array: replace it by the client of yours. */
export interface ArrayApi {
  /** @throws when the array cannot be reached */
  read(signal: AbortSignal): Promise<{
    readonly hosts: readonly ArrayHost[];
    readonly blocks: readonly ArrayBlock[];
    readonly volumes: readonly string[];
  }>;
  /** Adds or replaces a block: no packet of these addresses is accepted any more. */
  block(block: ArrayBlock, signal: AbortSignal): Promise<void>;
  unblock(id: string, signal: AbortSignal): Promise<void>;
}
