import type { Clock, Inspector, NodeFact, VolumeAttachmentFact } from '@reattach/core';
import { DeletedFinalStateUnknown, type InformerHandlers } from '@reattach/k8s-watch';

/** Tells the inspector of deleted Nodes that matter, so that a standby too knows since when they have been gone. */
export class GoneNodes implements InformerHandlers<NodeFact> {
  readonly #inspector: Pick<Inspector, 'noteGone'>;
  readonly #caches: { volumeAttachmentsOnNode(nodeName: string): readonly VolumeAttachmentFact[] };
  readonly #clock: Clock;

  constructor(
    inspector: Pick<Inspector, 'noteGone'>,
    caches: { volumeAttachmentsOnNode(nodeName: string): readonly VolumeAttachmentFact[] },
    clock: Clock,
  ) {
    this.#inspector = inspector;
    this.#caches = caches;
    this.#clock = clock;
  }

  onDelete(last: NodeFact | DeletedFinalStateUnknown<NodeFact>): void {
    const { name } = last instanceof DeletedFinalStateUnknown ? last.last : last;
    if (this.#caches.volumeAttachmentsOnNode(name).length > 0) {
      this.#inspector.noteGone(name, this.#clock.now());
    }
  }
}
