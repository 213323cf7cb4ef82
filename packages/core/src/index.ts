export {
  AttachmentManager,
  type AttachmentManagerOptions,
  type MigrationOptions,
  type RemovalResult,
  type TrackOptions,
} from './attachment-manager.ts';
export {
  AttachmentReconciler,
  type AttachmentReconcilerOptions,
  type LastPass,
} from './attachment-reconciler.ts';
export { type Backoff, backoffMs } from './backoff.ts';
export { type Clock, delay, systemClock } from './clock.ts';
export {
  type AttachmentView,
  type ClusterView,
  type LostNode,
  type NodeState,
  nodeFactOf,
} from './cluster-view.ts';
export { CoalescingTrigger, type TriggeredPass } from './coalescing-trigger.ts';
export { type Decision, decide, type Plan } from './decide.ts';
export type { DetachStrategy } from './detach-requests.ts';
export type { Effect, LostDecision } from './effect.ts';
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
export type { FenceState } from './fence-state.ts';
export { FENCED_TAINT } from './fenced-taint.ts';
export { type Held, heldIn, lostDecisionsIn, untouchedIn } from './held.ts';
export { HOLD_REASONS, type HoldReason } from './hold-reason.ts';
export { type Inspection, Inspector, type InspectorOptions } from './inspector.ts';
export { type LogFields, type Logger, silentLogger } from './logger.ts';
export { isOutOfServiceByUs, OUT_OF_SERVICE_TAINT, OUT_OF_SERVICE_VALUE } from './out-of-service.ts';
export type { PassMemory } from './pass-memory.ts';
export { PassReporter, type PassReporterOptions } from './pass-reporter.ts';
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
  type LostNodeNote,
  type LostNodeNotes,
  type NodeLister,
  type StorageBox,
  type StorageFleet,
  type StorageNode,
  type StorageQuestion,
  type StorageVolume,
} from './ports.ts';
export { createReconcileMetrics, type ReconcileMetrics } from './reconcile-metrics.ts';
export type { PassContext, PassResult, ReconcilePass } from './reconcile-pass.ts';
export { decideRecoveries, type Recovery } from './recover.ts';
export {
  type PassObserver,
  type PassReport,
  ReleasePass,
  type ReleasePassOptions,
} from './release-pass.ts';
export { RULES, type Rule, type Verdict } from './rules.ts';
export { STALE_STEPS, type StaleState, type Standing } from './standings.ts';
export type { PassResultKind, ReconcileAction } from './telemetry/instruments.ts';
export type { Migration, TrackedAttachment } from './tracked-attachment.ts';
export { type ReconcileTrigger, TRIGGER_REASONS, type TriggerReason } from './trigger-reason.ts';
export { UntrackPass, type UntrackPassOptions } from './untrack-pass.ts';
