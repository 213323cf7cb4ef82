import { chosen, type OperationFamily } from './operation.ts';

/** Steps of the clocks of machines that are none of the nodes. */
export const CLOCKS: OperationFamily = {
  'controller-clock-step': {
    weight: 2,
    apply: ({ replicas }, operation) => {
      const replica = chosen(replicas, operation);
      const deltaMs = stepMs(operation.value);
      replica?.stepClock(deltaMs);
      return undefined;
    },
  },
  'backend-clock-step': {
    weight: 2,
    apply: ({ storage }, { value }) => {
      storage.device.clockOffsetMs += stepMs(value);
      return undefined;
    },
  },
  'controller-manager-clock-step': {
    weight: 2,
    apply: ({ cluster }, { value }) => {
      cluster.controllerClockOffsetMs += stepMs(value);
      return undefined;
    },
  },
};

/** From an hour back to an hour ahead, mostly some minutes. */
function stepMs(value: number): number {
  const signed = value * 2 - 1;
  return Math.round(signed ** 3 * 3_600_000);
}
