export { COMPRESSED_TIMES } from './compressed-times.ts';
export { COMPRESSED_FLAGS, worldFlags } from './controller-flags.ts';
export { SimWorkload } from './sim-workload.ts';
export { type SimNode, SimWorld, type SimWorldOptions, type WorldFiles } from './sim-world.ts';
