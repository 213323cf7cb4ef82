import { HOLD_REASONS } from '@reattach/core';
import type { AttachmentState, NodeReport, StateReport } from '@reattach/status-page';
import { didYouMean } from '../config/did-you-mean.ts';
import { CliError } from './cli-error.ts';
import { type Command, OUTPUT_FLAG, SERVER_FLAG } from './command.ts';
import { formatDuration, formatTime } from './duration.ts';
import { NAMESPACE_FLAG, namespaceOf } from './filter.ts';
import { findSubject, type Subject } from './find-subject.ts';
import { knownNames } from './known-names.ts';
import { print } from './print.ts';
import { readState } from './read-state.ts';
import { ruleChain } from './rule-chain.ts';
import type { Style } from './style.ts';
import { count, nodeStateWords } from './words.ts';

export const explainCommand: Command = {
  name: 'explain',
  args: ['<name>'],
  summary:
    'The whole chain of facts about `pod/NAME`, `pvc/NAME`, `pv/NAME` or `node/NAME`, and the rule that decided. Also `NAMESPACE/NAME`, or a name alone.',
  flags: [NAMESPACE_FLAG, OUTPUT_FLAG, SERVER_FLAG],
  async run(call, io) {
    const [name = ''] = call.args;
    const { report, notes } = await readState(call, io, 'all');
    const subject = findSubject(name, report, namespaceOf(call));
    if (!subject) {
      throw new CliError(
        `Nothing is known of ${JSON.stringify(name)}: expected a node, or a pod, claim or volume that ${report.attacher} has attached${didYouMean(name, knownNames(report))}`,
      );
    }
    for (const note of notes) io.stderr(`${note}\n`);
    return print(call, io, explanation(subject, report), (style) => explainText(subject, report, style));
  },
};

/** For machines: the state of each attachment, with the rules on the way. */
function explanation({ node, attachments }: Subject, report: StateReport) {
  return {
    asOfMs: report.asOfMs,
    mode: report.mode,
    node,
    attachments: attachments.map((attachment) => ({
      ...attachment,
      rules: ruleChain({ attachment, report }),
    })),
  };
}

/** For people. Attachments that were decided alike share one section. */
export function explainText({ node, attachments }: Subject, report: StateReport, style: Style): string {
  const alike = Map.groupBy(attachments, (each) =>
    JSON.stringify([each.node, each.backend, each.rule, each.decision, each.reason, each.why, each.fence]),
  );
  const names = new Set([...(node ? [node.name] : []), ...attachments.map((each) => each.node)]);
  const nodes = report.nodes.filter(({ name }) => names.has(name));
  const sections = [
    ...nodes.map((each) => nodeSection(each, report, style)),
    ...[...alike.values()].map((group) => attachmentSection(group, report, style)),
    ...(attachments.length === 0 ? ['Nothing of ours is attached to it.'] : []),
  ];
  return `${sections.join('\n\n')}\n`;
}

function nodeSection(
  { name, state, sinceMs, addresses, attachments, fences, taintCleanup }: NodeReport,
  report: StateReport,
  style: Style,
): string {
  const { asOfMs } = report;
  const since =
    sinceMs === undefined ? '' : ` for ${formatDuration(asOfMs - sinceMs)}, since ${formatTime(sinceMs)}`;
  const tone = state === 'ready' ? 'good' : 'bad';
  const known =
    addresses.length === 0
      ? 'no address that the backend knows it by'
      : `known to the backend by ${addresses.join(', ')}`;
  const lines = [
    `${style('strong', `Node ${name}`)} ${style(tone, `${since === '' ? 'is' : 'has been'} ${nodeStateWords(state)}${since}`)}`,
    `  ${known}; ${count(attachments, 'attachment')} of ours`,
    ...fences.map(({ backend, id, fencedAtMs, cleanup }) => {
      const fate = cleanup === undefined ? '' : `; it ${cleanup}`;
      return `  fenced at backend ${backend} for ${formatDuration(asOfMs - fencedAtMs)} (fence ${id})${fate}`;
    }),
    ...(taintCleanup === undefined ? [] : [`  our taint on it ${taintCleanup}`]),
  ];
  return lines.join('\n');
}

function attachmentSection(group: readonly AttachmentState[], report: StateReport, style: Style): string {
  const [attachment] = group;
  if (!attachment) throw new TypeError('Expected at least one attachment');
  const { asOfMs } = report;
  const { node, backend, reason, sinceMs } = attachment;
  const steps = ruleChain({ attachment, report });
  const width = Math.max(...steps.map(({ rule }) => rule.length));
  const unchanged = sinceMs === undefined ? '' : `, the same for ${formatDuration(asOfMs - sinceMs)}`;
  return [
    ...group.map((each) => subjectLine(each, style)),
    `  attached to node ${node}${backend === undefined ? '' : `; stored at backend ${backend}`}`,
    ...evidenceLines(attachment, asOfMs),
    `How it was decided at ${formatTime(asOfMs)}${unchanged}:`,
    ...steps.map(({ rule, outcome, fact }) => {
      const line = `  ${outcome === 'passed' ? 'passed ' : 'decided'}  ${rule.padEnd(width)}  ${fact}`;
      return outcome === 'passed' ? line : style(reason === undefined ? 'good' : 'bad', line);
    }),
    ...(reason === undefined ? [] : [`In short: ${HOLD_REASONS[reason]}.`]),
  ].join('\n');
}

function subjectLine({ claim, persistentVolume, volumeAttachment }: AttachmentState, style: Style): string {
  const name = claim ? `Claim ${claim.namespace}/${claim.name}` : `Volume ${persistentVolume ?? ''}`;
  return `${style('strong', name)} (PersistentVolume ${persistentVolume ?? 'none: inline'}, VolumeAttachment ${volumeAttachment})`;
}

/** Empty for a ready node, about which no backend is queried. */
function evidenceLines({ evidence, fence, nodeState }: AttachmentState, asOfMs: number): readonly string[] {
  if (nodeState === 'ready') return [];
  const { kind, detail, observedAtMs, lastActivityMs } = evidence;
  const activity =
    lastActivityMs === undefined ? '' : `; last activity ${formatDuration(asOfMs - lastActivityMs)} ago`;
  const id = fence.id === undefined ? '' : ` (fence ${fence.id})`;
  const why = fence.why === undefined ? '' : `: ${fence.why}`;
  return [
    `  the backend, asked ${formatDuration(asOfMs - observedAtMs)} ago, says ${kind}: ${detail}${activity}`,
    `  cut off there: ${FENCE_WORDS[fence.kind]}${id}${why}`,
  ];
}

const FENCE_WORDS: { readonly [K in AttachmentState['fence']['kind']]: string } = {
  unknown: 'not known',
  open: 'no',
  quiescing: 'yes, not yet proved effective',
  ineffective: 'not safely',
  effective: 'yes, proved',
};
