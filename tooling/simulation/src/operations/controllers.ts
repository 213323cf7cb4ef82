import { chosen, type OperationFamily } from './operation.ts';

/** Processes of the controllers. */
export const CONTROLLERS: OperationFamily = {
  'controller-restarted': {
    weight: 4,
    apply: ({ replicas, clock }, operation) => {
      const replica = chosen(replicas, operation);
      replica?.stop();
      clock.after(20_000, () => {
        if (!replica?.hasEnded) replica?.kill();
        replica?.start();
      });
      return undefined;
    },
  },
  'controller-killed': {
    weight: 4,
    apply: ({ replicas, clock }, operation) => {
      const replica = chosen(replicas, operation);
      replica?.kill();
      clock.after(2_000 + Math.floor(operation.value * 20_000), () => replica?.start());
      return undefined;
    },
  },
  'controller-paused': {
    weight: 3,
    apply: ({ replicas }, operation) => {
      const replica = chosen(replicas, operation);
      replica?.pause();
      return () => replica?.resume();
    },
  },
  /** It dies at one of its next effects, before or after that is carried out. */
  'crash-at-effect': {
    weight: 4,
    apply: ({ replicas, clock }, operation) => {
      const replica = chosen(replicas, operation);
      const after = Math.floor(((operation.value * 17) % 1) * 8);
      replica?.gate?.plan({
        after,
        kind: (operation.value * 53) % 1 < 0.5 ? 'crash-before' : 'crash-after',
        strike: () => {
          replica.kill();
          clock.after(1_000, () => replica.start());
        },
      });
      return undefined;
    },
  },
  /** It freezes between the decision to write and the write. */
  'pause-at-effect': {
    weight: 3,
    apply: ({ replicas, clock }, operation) => {
      const replica = chosen(replicas, operation);
      replica?.gate?.plan({
        after: Math.floor(((operation.value * 17) % 1) * 6),
        kind: 'pause',
        strike: () => {
          replica.pause();
          clock.after(4_000 + Math.floor(((operation.value * 53) % 1) * 60_000), () => replica.resume());
        },
      });
      return undefined;
    },
  },
};
