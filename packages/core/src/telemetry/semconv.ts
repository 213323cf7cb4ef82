/**
 * Attribute names: OpenTelemetry semantic conventions first (copied, since the package that carries them marks some
 * as unstable), then our own under `reattach.`.
 * @see https://opentelemetry.io/docs/specs/semconv/
 */
export const ATTR_ERROR_TYPE = 'error.type';

/** What made the loop run a pass: a list on spans, a single value on metrics. */
export const ATTR_RECONCILE_REASONS = 'reattach.reconcile.reasons';
export const ATTR_RECONCILE_ID = 'reattach.reconcile.id';
export const ATTR_RECONCILE_RESULT = 'reattach.reconcile.result';
export const ATTR_RECONCILE_ACTION = 'reattach.reconcile.action';
export const ATTR_TRIGGER_REASON = 'reattach.trigger.reason';

export const ATTR_NODE_NAME = 'k8s.node.name';
export const ATTR_NODE_UID = 'k8s.node.uid';
/** `ready`, `lease-stale`, `not-ready` or `gone`. */
export const ATTR_NODE_STATE = 'reattach.node.state';
export const ATTR_BACKEND = 'reattach.storage.backend';
/** Since when, as ISO 8601; so are all times on spans. */
export const ATTR_NODE_LOST_SINCE = 'reattach.node.lost_since';
export const ATTR_PERSISTENT_VOLUME = 'k8s.persistentvolume.name';
export const ATTR_VOLUME_ATTACHMENT = 'reattach.volume_attachment.name';
/** PersistentVolumes a step is about. */
export const ATTR_VOLUMES = 'reattach.volumes';
/** `live`, `silent` or `unknown`. */
export const ATTR_EVIDENCE = 'reattach.evidence';
export const ATTR_EVIDENCE_DETAIL = 'reattach.evidence.detail';
export const ATTR_EVIDENCE_OBSERVED_AT = 'reattach.evidence.observed_at';
export const ATTR_EVIDENCE_LAST_ACTIVITY = 'reattach.evidence.last_activity';
export const ATTR_EVIDENCE_SILENT_SINCE = 'reattach.evidence.silent_since';
/** Why it is unknown. */
export const ATTR_EVIDENCE_REASON = 'reattach.evidence.reason';
/** How many nodes a backend was asked about. */
export const ATTR_SUSPECTS = 'reattach.storage.suspects';
export const ATTR_LIVE_HOSTS = 'reattach.storage.live_hosts';
/** `enforced` or `unenforced`: whether the backend drops what the fence list names. */
export const ATTR_ENFORCEMENT = 'reattach.storage.enforcement';
/** How many fences of ours stand at the backend. */
export const ATTR_FENCES = 'reattach.storage.fences';
export const ATTR_FENCE_ID = 'reattach.fence.id';
/** `unknown`, `unenforced`, `open`, `quiescing`, `ineffective` or `effective`. */
export const ATTR_FENCE_STATE = 'reattach.fence.state';
/** `keep`, `wait`, `hold`, `fence` or `release`; a list where there are several. */
export const ATTR_DECISION = 'reattach.decision';
export const ATTR_RULE = 'reattach.decision.rule';
export const ATTR_WHY = 'reattach.decision.why';
export const ATTR_HOLD_REASON = 'reattach.hold.reason';
export const ATTR_STRATEGY = 'reattach.release.strategy';
export const ATTR_EFFECT = 'reattach.effect';
export const ATTR_CLEANUP = 'reattach.cleanup';
/** Step of a release that failed. */
export const ATTR_STEP = 'reattach.release.step';
