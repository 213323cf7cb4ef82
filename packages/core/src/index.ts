// Embed the loop: a trigger, a reconciler, the attachments, and a pass that untracks them after a grace period.
// The ports: NodeLister, Clock, Logger, and AttachmentStore where attachments are stored.

export {
  AttachmentReconciler,
  type AttachmentReconcilerOptions,
  type LastPass,
} from './loop/attachment-reconciler.ts';
export { type Backoff, backoffMs } from './loop/backoff.ts';
export { CoalescingTrigger, type TriggeredPass } from './loop/coalescing-trigger.ts';
export type { PassResultKind, ReconcileAction } from './loop/reconcile-instruments.ts';
export { createReconcileMetrics, type ReconcileMetrics } from './loop/reconcile-metrics.ts';
export type { PassContext, PassResult, ReconcilePass } from './loop/reconcile-pass.ts';
export { CoreError, type CoreErrorCode, type Outcome } from './model/errors.ts';
export type { Migration, TrackedAttachment } from './model/tracked-attachment.ts';
export { type ReconcileTrigger, TRIGGER_REASONS, type TriggerReason } from './model/trigger-reason.ts';
export { UntrackPass, type UntrackPassOptions } from './pass/untrack-pass.ts';
export { type Clock, delay, systemClock } from './ports/clock.ts';
export { type LogFields, type Logger, silentLogger } from './ports/logger.ts';
export type { AttachmentStore, NodeLister } from './ports/ports.ts';
export {
  AttachmentManager,
  type AttachmentManagerOptions,
  type MigrationOptions,
  type RemovalResult,
  type TrackOptions,
} from './tracking/attachment-manager.ts';

// Embed the release: a pass that fences lost nodes and releases their volumes, previews of it, and its reports.
// The ports: ClusterReader, ClusterActions, StorageFleet, Leadership, LostNodeRecords, EventRecorder.

export { addressConflicts } from './decide/address-conflict.ts';
export type { Cleanup } from './decide/cleanups.ts';
export { type Decision, decide, type Plan } from './decide/decide.ts';
export { type Evaluation, evaluate, type Scope } from './decide/evaluate.ts';
export type { Facts, Readings } from './decide/evaluation-facts.ts';
export { RULES, type Rule, type Verdict } from './decide/rules.ts';
export type { DetachStrategy } from './execute/detach-requests.ts';
export type { Effect, LostDecision } from './execute/effect.ts';
export { defaultPolicy } from './model/default-policy.ts';
export type {
  CacheFreshness,
  FormerAddress,
  NodeFact,
  NodeLeaseFact,
  ObjectRef,
  PersistentVolumeFact,
  PodFact,
  Taint,
  VolumeAttachmentFact,
} from './model/facts.ts';
export { FENCED_TAINT } from './model/fenced-taint.ts';
export { HOLD_REASONS, type HoldReason } from './model/hold-reason.ts';
export { isOutOfServiceByUs, OUT_OF_SERVICE_TAINT } from './model/out-of-service.ts';
export {
  type AddressPolicy,
  type BreakerPolicy,
  type EarlyDetectionPolicy,
  type FencePolicy,
  MODES,
  type Mode,
  OTHER_DRIVERS,
  type OtherDrivers,
  type Policy,
  type ReservedAddress,
  STRATEGIES,
  type Strategy,
} from './model/policy.ts';
export type { PassHistory } from './pass/pass-history.ts';
export type { PassObserver, PassReport } from './pass/pass-report.ts';
export {
  PlanPreview,
  type PlanPreviewOptions,
  type Preview,
  type PreviewChoice,
} from './pass/plan-preview.ts';
export { ReleasePass, type ReleasePassOptions } from './pass/release-pass.ts';
export type { FenceRecords } from './ports/fence-records.ts';
export {
  type CacheRevisions,
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
  type LostNodeRecord,
  type LostNodeRecords,
  type StorageFleet,
} from './ports/ports.ts';
export { type AttachmentStatus, STALE_STEPS, type StaleState } from './report/attachment-status.ts';
export { type Held, heldIn, lostDecisionsIn, untouchedIn } from './report/held.ts';
export { PassReporter, type PassReporterOptions } from './report/pass-reporter.ts';
export { BackendFleet } from './view/backend-fleet.ts';
export {
  type AttachmentView,
  type ClusterView,
  type LostNode,
  type NodeState,
  nodeFactOf,
} from './view/cluster-view.ts';

// Implement a backend: the port, its descriptor, and what it is asked and answers.

export { type Fence, type FenceRecord, isFenceOf } from './model/fence-record.ts';
export { type FenceState, INEFFECTIVE_REASONS, type IneffectiveReason } from './model/fence-state.ts';
export {
  addressKey,
  describeAddresses,
  ipAddresses,
  STORAGE_ADDRESS_KINDS,
  type StorageAddress,
  type StorageAddressKind,
  unionOfAddresses,
} from './model/storage-address.ts';
export {
  EMPTY_QUERY,
  type StorageNode,
  type StorageQuery,
  type StorageSuspect,
  type StorageVolume,
  storageIdentity,
} from './model/storage-query.ts';
export {
  type Enforcement,
  type NodeEvidence,
  type StorageReading,
  UNKNOWN_REASONS,
  type UnattributedSession,
  type UnknownReason,
} from './model/storage-reading.ts';
export type {
  BackendCheck,
  BackendCheckContext,
  BackendDescriptor,
  BackendOption,
  BackendOptionType,
  BackendOptionValue,
  BackendPorts,
  BackendSettings,
} from './ports/backend-descriptor.ts';
export { type BackendHistory, MAX_HISTORY_BYTES } from './ports/backend-history.ts';
export type {
  BackendCapabilities,
  BackendHealth,
  BackendWatch,
  StorageBackend,
  VolumeClaim,
} from './ports/storage-backend.ts';

// Test: fakes and builders are in `@reattach/core/testing`, the suite for a backend in `@reattach/core/testing/backend-conformance`.
