import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatFenceComment, parseFenceComment } from './fence-comment.ts';

const FENCE = { id: '00c0ffee', nodeName: 'node-a', addresses: [], fencedAtMs: 1_767_225_600_000 };

function uuid(digit: string): string {
  return [8, 4, 4, 4, 12].map((length) => digit.repeat(length)).join('-');
}

describe('formatFenceComment', () => {
  it('writes what is known, and - for what is not', () => {
    expect(formatFenceComment({ ...FENCE, nodeUid: 'u-1', bootId: 'b-1', owner: 'o.csi' })).toBe(
      'reattach/2 id=00c0ffee node=node-a uid=u-1 boot=b-1 m=- c=- o=o.csi at=1767225600000',
    );
    expect(formatFenceComment(FENCE)).toBe(
      'reattach/2 id=00c0ffee node=node-a uid=- boot=- m=- c=- o=- at=1767225600000',
    );
  });

  it('holds every identity of a real cluster within 240 characters, and cuts only a name that is too long', () => {
    const full = {
      ...FENCE,
      nodeName: 'worker-17.rack-3.example.org',
      nodeUid: uuid('1'),
      bootId: uuid('2'),
      machineId: `${uuid('3')}/${'4'.repeat(32)}`,
      clusterId: uuid('5'),
      owner: 'rds.csi.srvlab.io',
    };
    const { addresses: _none, ...rest } = full;
    expect(parseFenceComment(formatFenceComment(full))).toEqual(rest);
    const comment = formatFenceComment({ ...full, nodeName: 'n'.repeat(253) });
    expect(comment.length).toBe(240);
    expect(parseFenceComment(comment)).toMatchObject({ ...rest, nodeName: expect.stringMatching(/^n+~$/) });
  });

  it.each([
    { ...FENCE, id: '00C0FFEE' },
    { ...FENCE, id: 'c0ffee' },
    { ...FENCE, nodeName: '' },
    { ...FENCE, nodeName: 'a b' },
    { ...FENCE, nodeName: 'a"; /system/reboot; "' },
    { ...FENCE, nodeUid: 'u boot=x' },
    { ...FENCE, fencedAtMs: -1 },
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
        const { nodeUid: _, bootId: __, addresses: ___, ...rest } = fence;
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
    'reattach/1 id=00c0ffee node=node-a uid=- boot=- at=1',
    'reattach/2 id=00c0ffee node=node-a uid=- boot=- m=- c=- o=- at=1 more',
    ' reattach/2 id=00c0ffee node=node-a uid=- boot=- m=- c=- o=- at=1',
    'reattach/2 id=00c0ffee node=node-a uid=- boot=- m=- c=- at=1',
  ])('%j is not ours', (comment) => {
    expect(parseFenceComment(comment)).toBeUndefined();
  });
});
