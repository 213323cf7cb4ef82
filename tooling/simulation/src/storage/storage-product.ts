import type { BackendPorts, StorageBackend } from '@reattach/core';
import type { Device } from '@reattach/rds-sim';
import type { Dial } from '@reattach/ssh-transport';
import type { Undo } from '../operations/operation.ts';

/** Kinds of backend that a run can have. */
export const BACKEND_KINDS = ['rds', 'linux'] as const;

/** @see BACKEND_KINDS */
export type BackendKind = (typeof BACKEND_KINDS)[number];

/** An address that the backend has on record as fenced, enforced or not. */
export interface RecordedFence {
  /** Unique to one fence of one loss: a renewed fence has another key. */
  readonly key: string;
  readonly address: string;
  /** Written by a controller. */
  readonly isOurs: boolean;
  /** Absent for a fence made by hand. */
  readonly id?: string;
  readonly nodeName?: string;
}

/** What administrators do to the tables. `undefined`: the product has no such thing, or there is nothing to undo. */
export interface Tampering {
  disableRule(): Undo | undefined;
  removeRule(): Undo | undefined;
  /** Lets everything pass before the drop rule sees it. */
  bypassRule(): Undo | undefined;
  /** Adds a condition to the drop rule. */
  narrowRule(): Undo | undefined;
  removeEntries(): void;
  disableEntries(): void;
  /** Restores a backup from before the last fences. */
  restoreOldEntries(): void;
  addForeignEntry(address: string): Undo | undefined;
  flushSessions(): void;
  stopTracking(): Undo | undefined;
  lowerEstablishedTimeout(): Undo | undefined;
}

/** A product as a backend: what it answers over SSH, what its fences are, and the real client for it. */
export interface StorageProduct extends Disposable {
  readonly device: Device;
  readonly fences: readonly RecordedFence[];
  readonly tampering: Tampering;
  /** The table that drops packets of fenced hosts is complete and enforced. */
  readonly hasDropRule: boolean;
  /** Sessions can be seen. */
  readonly showsSessions: boolean;
  answer(command: string): string;
  /** Whether the command changes something. */
  isEffect(command: string): boolean;
  /** A person fences an address. */
  fenceByHand(address: string): Undo;
  removeFence(fence: RecordedFence): void;
  /** Ends all tampering. */
  repair(): void;
  /** The real backend client, over a simulated connection. */
  connect(dial: Dial, ports: BackendPorts): StorageBackend;
}
