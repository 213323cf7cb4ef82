import type { ApiFaults } from '../world/api-server.ts';
import type { World } from '../world/world.ts';
import type { OperationFamily, Undo } from './operation.ts';

/** The API server and its answers. */
export const API: OperationFamily = {
  'api-down': {
    weight: 3,
    apply: ({ api }) => {
      api.stop();
      return () => api.start();
    },
  },
  'api-errors': { weight: 3, apply: (world) => inject(world, { errors: 0.3 }) },
  'api-resets': { weight: 3, apply: (world) => inject(world, { resets: 0.3 }) },
  'api-hangs': { weight: 2, apply: (world) => inject(world, { hangs: 0.2 }) },
  'api-throttled': { weight: 2, apply: (world) => inject(world, { throttles: 0.5 }) },
  'api-conflicts': { weight: 3, apply: (world) => inject(world, { conflicts: 0.5 }) },
  'watches-frozen': {
    weight: 4,
    apply: ({ api }, { value }) => {
      const frozen = api.watches.filter((_, index) => value < 0.5 || index % 2 === 0);
      for (const watch of frozen) watch.freeze();
      return () => {
        for (const watch of frozen) watch.thaw();
      };
    },
  },
  'watches-broken': {
    weight: 2,
    apply: ({ api }, { value }) => {
      for (const watch of api.watches)
        watch.breakOff(value < 0.3 ? 'expired' : value < 0.6 ? 'end' : 'reset');
      return undefined;
    },
  },
  'history-compacted': {
    weight: 1,
    apply: ({ api }) => {
      api.store.compact();
      for (const watch of api.watches) watch.breakOff('reset');
      return undefined;
    },
  },
};

function inject({ api }: World, faults: Partial<ApiFaults>): Undo {
  Object.assign(api.faults, faults);
  return () => api.clearFaults();
}
