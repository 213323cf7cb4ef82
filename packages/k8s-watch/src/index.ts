// For the composition root.

// For those who watch something else.
export type { ApiResource } from './api-resource.ts';
export { AttachmentWatcher, type NodeLookup } from './attachment-watcher.ts';
export { DeletedFinalStateUnknown } from './deleted-final-state-unknown.ts';
export type { InformerHandlers } from './handler-registry.ts';
export { Informer, type InformerOptions, type InformerState } from './informer.ts';
export { KubeCaches, type KubeCachesOptions } from './kube-caches.ts';
export { type NodeEventHandlers, NodeWatcher } from './node-watcher.ts';
export type { Identified, IndexFunction, Projection } from './object-cache.ts';
export { readClusterId } from './read-cluster-id.ts';
export { RECONNECT_REASONS, type ReconnectReason, WatchInstruments } from './telemetry/instruments.ts';
