import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatFenceComment, parseFenceComment } from './fence-comment.ts';

const FENCE = { id: '00c0ffee', nodeName: 'node-a', addresses: [], fencedAtMs: 1_767_225_600_000 };

describe('formatFenceComment', () => {
  it('writes what is known, and - for what is not', () => {
    expect(formatFenceComment({ ...FENCE, nodeUid: 'u-1', bootId: 'b-1' })).toBe(
      'reattach/1 id=00c0ffee node=node-a uid=u-1 boot=b-1 at=1767225600000',
    );
    expect(formatFenceComment(FENCE)).toBe(
      'reattach/1 id=00c0ffee node=node-a uid=- boot=- at=1767225600000',
    );
  });

  it.each([
    { ...FENCE, id: '00C0FFEE' },
    { ...FENCE, id: 'c0ffee' },
    { ...FENCE, nodeName: '' },
    { ...FENCE, nodeName: 'a b' },
    { ...FENCE, nodeName: 'a"; /system/reboot; "' },
    { ...FENCE, nodeUid: 'u boot=x' },
    { ...FENCE, fencedAtMs: -1 },
    { ...FENCE, fencedAtMs: 1.5 },
  ])('refuses %j', (fence) => {
    expect(() => formatFenceComment(fence)).toThrow(/INVALID_VALUE/);
  });

  it('is read back as it was written, or refused', () => {
    const part = fc.oneof(fc.string({ minLength: 1 }), fc.stringMatching(/^[\w.-]+$/));
    fc.assert(
      fc.property(part, part, part, (nodeName, nodeUid, bootId) => {
        const fence = { ...FENCE, nodeName, nodeUid, bootId };
        let comment: string;
        try {
          comment = formatFenceComment(fence);
        } catch {
          return;
        }
        const { nodeUid: _, bootId: __, ...rest } = fence;
        const expected = { ...rest, ...(nodeUid !== '-' && { nodeUid }), ...(bootId !== '-' && { bootId }) };
        expect(parseFenceComment(comment)).toEqual(expected);
      }),
    );
  });
});

describe('parseFenceComment', () => {
  it.each([
    '',
    'reattach',
    'rds-fence node-a',
    'reattach/2 id=00c0ffee node=node-a uid=- boot=- at=1',
    'reattach/1 id=00c0ffee node=node-a uid=- boot=- at=1 more',
    ' reattach/1 id=00c0ffee node=node-a uid=- boot=- at=1',
    'reattach/1 id=00c0ffee node=node-a uid=- at=1',
  ])('%j is not ours', (comment) => {
    expect(parseFenceComment(comment)).toBeUndefined();
  });
});
