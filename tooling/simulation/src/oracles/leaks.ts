import { DRIVER } from '../world/cluster.ts';
import type { CreateOracle } from './oracle.ts';

const OURS = ['reattach.srvlab.io/fenced', 'node.kubernetes.io/out-of-service'];

/** What is left behind once everything is well again: taints without a fence, and timers of processes that have ended. */
export const watchLeaks: CreateOracle = (world, report) => ({
  atEnd() {
    const { api, storage, machines, replicas } = world;
    const fenced = storage.fencedAddresses;
    for (const { metadata, spec } of api.store.list('Node')) {
      const named = machines.filter(({ nodeName }) => nodeName === metadata.name);
      const isFenced = named.some(({ addresses }) => addresses.some((address) => fenced.has(address)));
      if (isFenced || !named.every((machine) => machine.isWell || machine.isRetired)) continue;
      for (const { key, value } of spec?.taints ?? []) {
        if (OURS.includes(key) && value === DRIVER)
          report('leak', `taint ${key} is left on ${metadata.name}, which is well and not fenced`);
      }
    }
    for (const { name, leakedTimers, failures } of replicas) {
      for (const count of leakedTimers) report('leak', `${name} left ${count} timers when it was stopped`);
      for (const failure of failures)
        report(
          'crash',
          `${name} ended by itself: ${failure instanceof Error ? failure.stack : String(failure)}`,
        );
    }
  },
});
