import type { AttachmentState, NodeStateKind } from './state-report.ts';

/** What was done, in the order of a failover. */
export const AUDIT_KINDS = [
  'fenced',
  'confirmed-off',
  'pod-deleted',
  'released',
  'untainted',
  'unfenced',
] as const;

/** @see AUDIT_KINDS */
export type AuditKind = (typeof AUDIT_KINDS)[number];

/** One thing that was done, with everything it rested on. Times are epoch ms. */
export interface AuditRecord {
  /** When it was known to be done. */
  readonly atMs: number;
  readonly kind: AuditKind;
  /** Of the pass; `manual` for what a person did. */
  readonly reconcileID: string;
  readonly node: string;
  readonly nodeUid?: string;
  readonly nodeState?: NodeStateKind;
  /** How long the node had been lost then. */
  readonly lostForMs?: number;
  readonly backend?: string;
  readonly volumeAttachment?: string;
  readonly persistentVolume?: string;
  readonly volumeHandle?: string;
  readonly claim?: { readonly namespace: string; readonly name: string };
  /** Volumes for whose sake a whole node was fenced, or a pod deleted. */
  readonly persistentVolumes?: readonly string[];
  readonly pod?: { readonly namespace: string; readonly name: string };
  readonly rule?: string;
  readonly why: string;
  readonly evidence?: AttachmentState['evidence'];
  readonly fence?: {
    readonly id?: string;
    readonly kind?: AttachmentState['fence']['kind'];
    readonly why?: string;
    readonly addresses?: readonly string[];
    readonly fencedAtMs?: number;
  };
  readonly strategy?: string;
  /** It had been released in another way before, which had no effect. */
  readonly fellBack?: true;
  /** Who did it by hand; absent: a pass did. */
  readonly by?: { readonly user: string; readonly host: string; readonly reason?: string };
  /** Key of the taint that was removed. */
  readonly taint?: string;
}
