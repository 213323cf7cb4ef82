export {
  AttachmentReconciler,
  type AttachmentReconcilerOptions,
  type LastPass,
} from './attachment-reconciler.ts';
export type { Backoff } from './backoff.ts';
export { type Clock, delay, systemClock } from './clock.ts';
export { CoalescingTrigger, type TriggeredPass } from './coalescing-trigger.ts';
export { CoreError, type CoreErrorCode, type Outcome } from './errors.ts';
export type {
  CacheFreshness,
  NodeEvidence,
  NodeFact,
  ObjectRef,
  PersistentVolumeFact,
  PodFact,
  StorageReading,
  Taint,
  UnknownReason,
  VolumeAttachmentFact,
} from './facts.ts';
export { type LogFields, type Logger, silentLogger } from './logger.ts';
export type {
  AttachmentStore,
  ClusterActions,
  ClusterEvent,
  ClusterReader,
  DeleteResult,
  EventReason,
  EventRecorder,
  LiveNode,
  NodeLister,
  StorageNode,
  StoragePort,
} from './ports.ts';
export { createReconcileMetrics, type ReconcileMetrics } from './reconcile-metrics.ts';
export type { PassContext, PassResult, ReconcilePass } from './reconcile-pass.ts';
export type { PassResultKind, ReconcileAction } from './telemetry/instruments.ts';
export { type ReconcileTrigger, TRIGGER_REASONS, type TriggerReason } from './trigger-reason.ts';
