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
