import { describe, expect, it } from 'vitest';
import type { AttachmentState } from '../state-report.ts';
import { sampleReport } from '../testing/sample-report.ts';
import { attachmentText, byUrgency, volumeName } from './attachment-order.ts';
import { matching } from './search.ts';

const [sample] = sampleReport({ nodes: 1, attachments: 1, lostNodes: 1, nowMs: 0 }).attachments;
if (!sample) throw new TypeError('Expected a sample');
const base: AttachmentState = sample;

function attachment(name: string, overrides: Partial<AttachmentState>): AttachmentState {
  return { ...base, volumeAttachment: name, ...overrides };
}

const claim = (name: string) => ({ namespace: 'shop', name });

describe('byUrgency', () => {
  it('puts held ones first, then those in progress, each by node and volume', () => {
    const attachments = [
      attachment('kept', { decision: 'keep', node: 'a' }),
      attachment('wait', { decision: 'wait', node: 'a' }),
      attachment('release', { decision: 'release', node: 'a' }),
      attachment('fence', { decision: 'fence', node: 'a' }),
      attachment('hold-b', { decision: 'hold', node: 'b', claim: claim('1') }),
      attachment('hold-a2', { decision: 'hold', node: 'a', claim: claim('2') }),
      attachment('hold-a1', { decision: 'hold', node: 'a', claim: claim('1') }),
    ];
    expect(byUrgency(attachments).map(({ volumeAttachment }) => volumeAttachment)).toEqual([
      'hold-a1',
      'hold-a2',
      'hold-b',
      'fence',
      'release',
      'wait',
      'kept',
    ]);
  });
});

describe('volumeName', () => {
  const { claim: _claim, persistentVolume: _volume, ...inline } = base;
  it.each([
    [base, 'shop/data-orders-0'],
    [{ ...inline, persistentVolume: 'pvc-1' }, 'pvc-1'],
    [inline, 'csi-pvc-00000000'],
  ])('case %# -> %2$s', (item, name) => {
    expect(volumeName(item)).toBe(name);
  });
});

describe('matching', () => {
  const items = [
    attachment('one', { node: 'node-a', decision: 'hold', reason: 'storage-unknown' }),
    attachment('two', { node: 'node-b', decision: 'hold', reason: 'fence-failed' }),
  ];

  it.each([
    ['', ['one', 'two']],
    ['  ', ['one', 'two']],
    ['NODE-B', ['two']],
    ['hold node', ['one', 'two']],
    ['unknown node-b', []],
    ['fence-failed node-b', ['two']],
  ])('%j finds %j', (query, names) => {
    const found = matching(items, query, (item) => `${item.node} ${item.decision} ${item.reason}`);
    expect(found.map(({ volumeAttachment }) => volumeAttachment)).toEqual(names);
  });

  it('finds an attachment by claim, volume, node, decision, reason, rule and evidence', () => {
    const text = attachmentText(base);
    for (const word of ['shop/data-orders-0', 'pvc-00000000', 'node-0', 'wait', 'mode-fence', 'silent']) {
      expect(text).toContain(word);
    }
  });
});
