/**
 * Attribute names: OpenTelemetry semantic conventions first (copied, since the package that carries them marks some
 * as unstable), then our own under `reattach.`.
 * @see https://opentelemetry.io/docs/specs/semconv/
 */
export const ATTR_ERROR_TYPE = 'error.type';
export const ATTR_SERVER_ADDRESS = 'server.address';
export const ATTR_SERVER_PORT = 'server.port';

/** Name of the configured backend. */
export const ATTR_BACKEND = 'reattach.storage.backend';
/** Low-cardinality name of a command. */
export const ATTR_COMMAND = 'reattach.ssh.command';
export const ATTR_RECONNECT_STATUS = 'reattach.backend.reconnect.status';
