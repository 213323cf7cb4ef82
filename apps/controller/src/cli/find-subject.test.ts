import { describe, expect, it } from 'vitest';
import { attachmentState, nodeReport, stateReport } from '../state/state-report.test-support.ts';
import { findSubject } from './find-subject.ts';

const report = stateReport(
  [
    attachmentState({ pods: [{ namespace: 'default', name: 'db-0' }] }),
    attachmentState({
      volumeAttachment: 'va-b',
      persistentVolume: 'pv-b',
      volumeHandle: 'handle-b',
      claim: { namespace: 'other', name: 'data-a' },
      node: 'node-b',
      pods: [{ namespace: 'other', name: 'db-0' }],
    }),
  ],
  { nodes: [nodeReport(), nodeReport({ name: 'node-b' }), nodeReport({ name: 'pod' })] },
);

describe('findSubject', () => {
  it.each([
    ['node-a', undefined, 'node-a', ['va-a']],
    ['node/node-b', undefined, 'node-b', ['va-b']],
    ['pv/pv-a', undefined, undefined, ['va-a']],
    ['pv-a', undefined, undefined, ['va-a']],
    ['va-b', undefined, undefined, ['va-b']],
    ['handle-b', undefined, undefined, ['va-b']],
    ['pvc/data-a', undefined, undefined, ['va-a', 'va-b']],
    ['pvc/data-a', 'other', undefined, ['va-b']],
    ['pvc/other/data-a', undefined, undefined, ['va-b']],
    ['other/data-a', undefined, undefined, ['va-b']],
    ['pod/db-0', 'default', undefined, ['va-a']],
    ['pods/db-0', undefined, undefined, ['va-a', 'va-b']],
    ['other/db-0', undefined, undefined, ['va-b']],
    ['node/pod', undefined, 'pod', []],
  ])('%s in namespace %s', (name, namespace, node, attachments) => {
    const subject = findSubject(name, report, namespace);
    expect(subject?.node?.name).toBe(node);
    expect(subject?.attachments.map(({ volumeAttachment }) => volumeAttachment)).toEqual(attachments);
  });

  it.each(['nothing', 'pv/data-a', 'pvc/pv-a', 'node/pv-a', 'pod/node-a'])('does not find %s', (name) => {
    expect(findSubject(name, report)).toBeUndefined();
  });

  it.each(['a/b/c/d', 'job/a/b', '/', 'pvc/'])('refuses %s', (name) => {
    expect(() => findSubject(name, report)).toThrow('Expected ');
  });
});
