export { COMPRESSED_TIMES } from './compressed-times.ts';
export { ACTIVITY_WINDOW_MS, COMPRESSED_FLAGS, worldFlags } from './controller-flags.ts';
export { ControllerProcess, type ControllerProcessOptions, type LogLine } from './controller-process.ts';
export type { BackendKind, SimVolumeOptions } from './sim-volumes.ts';
export { SimWorkload } from './sim-workload.ts';
export {
  type MachineTraits,
  type NewMachine,
  type SimNode,
  SimWorld,
  type SimWorldOptions,
  type WorldFiles,
} from './sim-world.ts';
export { until } from './until.ts';
