import type { Clock, NodeFact, PlanPreview, VolumeAttachmentFact } from '@reattach/core';
import { DeletedFinalStateUnknown, type InformerHandlers } from '@reattach/k8s-watch';

/** Records in the preview when Nodes with attachments were deleted, so that a standby knows it too. */
export class GoneNodes implements InformerHandlers<NodeFact> {
  readonly #planPreview: Pick<PlanPreview, 'recordGone'>;
  readonly #caches: { volumeAttachmentsOnNode(nodeName: string): readonly VolumeAttachmentFact[] };
  readonly #clock: Clock;

  constructor(
    planPreview: Pick<PlanPreview, 'recordGone'>,
    caches: { volumeAttachmentsOnNode(nodeName: string): readonly VolumeAttachmentFact[] },
    clock: Clock,
  ) {
    this.#planPreview = planPreview;
    this.#caches = caches;
    this.#clock = clock;
  }

  onDelete(last: NodeFact | DeletedFinalStateUnknown<NodeFact>): void {
    const { name } = last instanceof DeletedFinalStateUnknown ? last.last : last;
    if (this.#caches.volumeAttachmentsOnNode(name).length > 0) {
      this.#planPreview.recordGone(name, this.#clock.now());
    }
  }
}
