export { COMPRESSED_TIMES } from './compressed-times.ts';
export { COMPRESSED_FLAGS, worldFlags } from './controller-flags.ts';
export { ControllerProcess, type ControllerProcessOptions, type LogLine } from './controller-process.ts';
export { SimWorkload } from './sim-workload.ts';
export {
  type BackendKind,
  type SimNode,
  SimWorld,
  type SimWorldOptions,
  type WorldFiles,
} from './sim-world.ts';
export { until } from './until.ts';
