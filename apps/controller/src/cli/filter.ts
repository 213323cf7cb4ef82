import type { AttachmentState, AuditRecord, StateReport } from '@reattach/status-page';
import type { Call, CommandFlag } from './command.ts';

export const NODE_FLAG: CommandFlag = {
  name: '--node',
  value: 'name',
  description: 'Only what concerns this node.',
};

export const NAMESPACE_FLAG: CommandFlag = {
  name: '--namespace',
  short: '-n',
  value: 'name',
  description: 'Only claims in this namespace.',
};

/** What `--node` and `--namespace` leave of a report. Its counts are those of the whole cluster. */
export function filterReport(report: StateReport, call: Call): StateReport {
  const { node, namespace } = choiceOf(call);
  return {
    ...report,
    nodes: report.nodes.filter(({ name }) => node === undefined || name === node),
    attachments: report.attachments.filter(
      (each) => (node === undefined || each.node === node) && isIn(namespace, each),
    ),
  };
}

/** What `--node` and `--namespace` leave of the history. */
export function filterRecords(records: readonly AuditRecord[], call: Call): readonly AuditRecord[] {
  const { node, namespace } = choiceOf(call);
  return records.filter((record) => (node === undefined || record.node === node) && isIn(namespace, record));
}

/** The namespace of `--namespace`. */
export function namespaceOf(call: Call): string | undefined {
  return choiceOf(call).namespace;
}

function isIn(
  namespace: string | undefined,
  { claim, pod }: Pick<AuditRecord, 'claim' | 'pod'> & Partial<Pick<AttachmentState, 'claim'>>,
): boolean {
  return namespace === undefined || claim?.namespace === namespace || pod?.namespace === namespace;
}

function choiceOf({ flags }: Call): { readonly node?: string; readonly namespace?: string } {
  const [node, namespace] = [flags.get('--node'), flags.get('--namespace')];
  return {
    node: typeof node === 'string' ? node : undefined,
    namespace: typeof namespace === 'string' ? namespace : undefined,
  };
}
