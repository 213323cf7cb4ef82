import type { Flow } from './flow.ts';

/** A command on its way from the host to the target and back. */
export interface Command {
  readonly kind: 'keep-alive' | 'write' | 'read';
  /** Of the request, headers included. */
  readonly sizeBytes: number;
  /** The target carries it out, and calls `done` when it has: at once or later. */
  carryOut(done: () => void): void;
  /** The host has the answer. */
  answered(): void;
}

/** The host's side of a queue. */
export interface HostEnd {
  /** Whether packets leave the host for the target. */
  readonly canSend: boolean;
  /** Whether packets of the target arrive. */
  readonly canReceive: boolean;
  /** The connection was closed or reset from outside. */
  connectionLost(flow: Flow): void;
  /** Something was acknowledged late: traffic may be regular again. */
  recovered(): void;
}

/** The target's side of a queue. */
export interface TargetEnd {
  /** A command has arrived. */
  heard(kind: Command['kind'], atMs: number): void;
  /** The socket is gone. */
  queueClosed(flow: Flow): void;
}

/** The state of the target's socket, in the words of `ss`. */
export type SocketState = 'established' | 'fin-wait-1' | 'closed';
