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
export const ATTR_BOX = 'reattach.storage.box';
/** `live`, `silent` or `unknown`. */
export const ATTR_EVIDENCE = 'reattach.evidence';
export const ATTR_FENCE_ID = 'reattach.fence.id';
export const ATTR_RULE = 'reattach.decision.rule';
export const ATTR_WHY = 'reattach.decision.why';
export const ATTR_HOLD_REASON = 'reattach.hold.reason';
export const ATTR_STRATEGY = 'reattach.release.strategy';
export const ATTR_EFFECT = 'reattach.effect';
export const ATTR_RECOVERY = 'reattach.recovery';
/** Step of a release that failed. */
export const ATTR_STEP = 'reattach.release.step';
