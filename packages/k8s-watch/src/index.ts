export type { ApiResource } from './api-resource.ts';
export { DeletedFinalStateUnknown } from './deleted-final-state-unknown.ts';
export type { InformerHandlers } from './handler-registry.ts';
export { Informer, type InformerOptions, type InformerState } from './informer.ts';
export type { IndexFunction, Projection } from './object-cache.ts';
export { RECONNECT_REASONS, type ReconnectReason, WatchInstruments } from './telemetry/instruments.ts';
