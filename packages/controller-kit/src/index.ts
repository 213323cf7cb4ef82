// For drivers.

export { defaultPolicy } from '@reattach/core';
export { apiNodeLister } from './api-node-lister.ts';
// For composition roots that add parts of their own.
export {
  type BackendSource,
  type ComposedController,
  type ComposeOptions,
  type ControllerConfig,
  composeController,
  type TermListener,
} from './compose-controller.ts';
export {
  type BackendBlock,
  type HostList,
  type HostListBackendOptions,
  hostListBackend,
} from './host-list-backend.ts';
export type { BackendHost } from './judge-host.ts';
export type { LeaderElectionConfig, Leading } from './leading.ts';
export { podNamespace, serviceAccountNamespace } from './pod-namespace.ts';
export { PolledBackend, type PolledBackendOptions } from './polled-backend.ts';
export { reservedAddresses } from './reserved-addresses.ts';
export { type RunControllerOptions, runController } from './run-controller.ts';
export { Teardown } from './teardown.ts';
