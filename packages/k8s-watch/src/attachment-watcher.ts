import type { NodeFact, ReconcileTrigger, VolumeAttachmentFact } from '@reattach/core';
import type { InformerHandlers } from './handler-registry.ts';

/** What an attachment's node is looked up in. */
export interface NodeLookup {
  /** `false`: a Node that is missing proves nothing yet. */
  readonly hasSynced: boolean;
  node(name: string): NodeFact | undefined;
}

/**
 * Asks for a pass, reason `attachment-changed`, when a VolumeAttachment of ours appears for a Node that is not ready or
 * gone. Nothing else needs one: while a lost node holds attachments, passes come at deadlines anyway.
 */
export class AttachmentWatcher {
  readonly #reconciler: ReconcileTrigger;
  readonly #nodes: NodeLookup;
  readonly #attacher: string;

  /** @param attacher `spec.attacher` of the VolumeAttachments that are ours. */
  constructor(reconciler: ReconcileTrigger, nodes: NodeLookup, attacher: string) {
    this.#reconciler = reconciler;
    this.#nodes = nodes;
    this.#attacher = attacher;
  }

  getEventHandlers(): InformerHandlers<VolumeAttachmentFact> {
    return { onAdd: (attachment) => this.#onAdd(attachment) };
  }

  #onAdd({ attacher, nodeName }: VolumeAttachmentFact): void {
    if (attacher !== this.#attacher || !this.#nodes.hasSynced) return;
    if (this.#nodes.node(nodeName)?.ready !== true) this.#reconciler.triggerReconcile('attachment-changed');
  }
}
