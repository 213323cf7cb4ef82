import type { VolumeAttachmentObject } from '../kube-object.ts';
import { attacherFinalizer } from '../manifests.ts';
import { ControlLoop, earliest, type FakeControllerContext } from './control-loop.ts';

export interface ExternalAttacherOptions {
  /** The CSI driver it serves: `spec.attacher` of its VolumeAttachments. */
  readonly driver: string;
  /** Time ControllerPublishVolume takes, ms. Default 500. */
  readonly attachMs?: number;
  /** Time ControllerUnpublishVolume takes, ms. Default 500. */
  readonly detachMs?: number;
  /** It never finishes a detach. Default false. */
  readonly stuck?: boolean;
}

/**
 * Fakes the external-attacher sidecar of one driver: finalizer at once, `attached` after `attachMs`; a deleted
 * VolumeAttachment loses the finalizer after `detachMs`. Calls always succeed.
 * @see kubernetes-csi/external-attacher `pkg/controller/csi_handler.go`
 */
export class ExternalAttacher implements Disposable {
  readonly #context: FakeControllerContext;
  readonly #options: ExternalAttacherOptions;
  readonly #loop: ControlLoop;
  /** When each running call began, by VolumeAttachment uid and direction. */
  #begunMs = new Map<string, number>();
  #stuck: boolean;

  constructor(context: FakeControllerContext, options: ExternalAttacherOptions) {
    this.#context = context;
    this.#options = options;
    this.#stuck = options.stuck ?? false;
    this.#loop = new ControlLoop({ ...context, kinds: ['VolumeAttachment'], pass: () => this.#pass() });
  }

  /** Stuck: no detach finishes any more. Unstuck: those that waited long enough do. */
  set stuck(stuck: boolean) {
    this.#stuck = stuck;
    this.#loop.wake();
  }

  get stuck(): boolean {
    return this.#stuck;
  }

  [Symbol.dispose](): void {
    this.#loop[Symbol.dispose]();
  }

  #pass(): number | undefined {
    const { driver, attachMs = 500, detachMs = 500 } = this.#options;
    const finalizer = attacherFinalizer(driver);
    const begunMs = this.#begunMs;
    this.#begunMs = new Map();
    const deadlines: number[] = [];
    /** Whether a call that takes `durationMs` is over; the next pass comes when it is. */
    const isOver = (call: string, durationMs: number): boolean => {
      const begun = begunMs.get(call) ?? this.#context.clock.now();
      this.#begunMs.set(call, begun);
      const dueMs = begun + durationMs;
      if (this.#context.clock.now() >= dueMs) return true;
      deadlines.push(dueMs);
      return false;
    };
    for (const attachment of this.#context.store.list('VolumeAttachment')) {
      if (attachment.spec?.attacher !== driver) continue;
      const { uid, finalizers = [], deletionTimestamp } = attachment.metadata;
      if (deletionTimestamp !== undefined) {
        const over = finalizers.includes(finalizer) && isOver(`detach ${uid}`, detachMs);
        if (over && !this.#stuck) {
          this.#setFinalizers(
            attachment,
            finalizers.filter((other) => other !== finalizer),
          );
        }
      } else if (!attachment.status?.attached) {
        if (!finalizers.includes(finalizer)) this.#setFinalizers(attachment, [...finalizers, finalizer]);
        if (isOver(`attach ${uid}`, attachMs)) this.#setAttached(attachment);
      }
    }
    return earliest(deadlines);
  }

  #setFinalizers({ metadata }: VolumeAttachmentObject, finalizers: readonly string[]): void {
    this.#context.store.patch('VolumeAttachment', metadata.name, { metadata: { finalizers } });
  }

  #setAttached({ metadata }: VolumeAttachmentObject): void {
    this.#context.store.patch('VolumeAttachment', metadata.name, { status: { attached: true } });
  }
}
