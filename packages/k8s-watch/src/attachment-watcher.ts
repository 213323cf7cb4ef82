import type { NodeFact, ReconcileTrigger, VolumeAttachmentFact } from '@reattach/core';
import type { InformerHandlers } from './handler-registry.ts';
import {
  ATTR_NODE_NAME,
  ATTR_TRIGGER_REASON,
  ATTR_VOLUME_ATTACHMENT,
  inNoticeSpan,
} from './telemetry/notice-span.ts';

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

  #onAdd({ name, attacher, nodeName }: VolumeAttachmentFact): void {
    if (attacher !== this.#attacher || !this.#nodes.hasSynced) return;
    if (this.#nodes.node(nodeName)?.ready === true) return;
    const reason = 'attachment-changed';
    const attributes = {
      [ATTR_NODE_NAME]: nodeName,
      [ATTR_VOLUME_ATTACHMENT]: name,
      [ATTR_TRIGGER_REASON]: reason,
    };
    inNoticeSpan('notice attachment', attributes, () => this.#reconciler.triggerReconcile(reason));
  }
}
