import { podNamespace } from '@reattach/controller-kit';
import { LeaseHistory } from '@reattach/k8s-actions';
import type { KubeApi } from '@reattach/k8s-api';
import type { AuditRecord } from '@reattach/status-page';
import type { LeaderElectionConfig } from '../config/config.ts';
import { isAuditRecord } from './audit-file.ts';
import { type AuditPlace, MAX_RECORDS } from './audit-outbox.ts';

/** Longest time for one write with its retries, ms. */
const TIMEOUT_MS = 10_000;

/** The history in the cluster: the same for every replica and for the command line. */
export class SharedHistory implements AuditPlace {
  readonly name: string;
  readonly batch: number = MAX_RECORDS;
  readonly #lease: LeaseHistory;

  constructor(api: KubeApi, { leaseName, namespace = podNamespace() }: LeaderElectionConfig, owner: string) {
    const name = `${leaseName}-history`;
    this.name = `Lease ${namespace}/${name}`;
    this.#lease = new LeaseHistory({ api, namespace, name, owner });
  }

  /** Oldest first. @throws {KubeApiError} */
  async read(signal: AbortSignal): Promise<readonly AuditRecord[]> {
    const records: readonly unknown[] = await this.#lease.read(signal);
    return records.filter(isAuditRecord);
  }

  /** @throws {KubeApiError} */
  append(records: readonly AuditRecord[]): Promise<void> {
    return this.#lease.append(records, AbortSignal.timeout(TIMEOUT_MS));
  }
}
