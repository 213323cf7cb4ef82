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
  FenceFact,
  FenceGuard,
  FenceIdentity,
  NodeEvidence,
  NodeFact,
  NodeLeaseFact,
  ObjectRef,
  PersistentVolumeFact,
  PodFact,
  StorageReading,
  StoredVolumeFact,
  Taint,
  UnknownReason,
  VolumeAttachmentFact,
} from './facts.ts';
export { type LogFields, type Logger, silentLogger } from './logger.ts';
export {
  type BreakerPolicy,
  type EarlyDetectionPolicy,
  type FencePolicy,
  MODES,
  type Mode,
  OTHER_DRIVERS,
  type OtherDrivers,
  type Policy,
  STRATEGIES,
  type Strategy,
} from './policy.ts';
export {
  type AttachmentStore,
  type ChangeResult,
  type ClusterActions,
  type ClusterEvent,
  type ClusterReader,
  type DeleteResult,
  EVENT_REASONS,
  type EventReason,
  type EventRecorder,
  type Leadership,
  type LiveNode,
  type NodeLister,
  type StorageBox,
  type StorageFleet,
  type StorageNode,
  type StorageQuestion,
  type StorageVolume,
} from './ports.ts';
export { createReconcileMetrics, type ReconcileMetrics } from './reconcile-metrics.ts';
export type { PassContext, PassResult, ReconcilePass } from './reconcile-pass.ts';
export type { PassResultKind, ReconcileAction } from './telemetry/instruments.ts';
export { type ReconcileTrigger, TRIGGER_REASONS, type TriggerReason } from './trigger-reason.ts';
