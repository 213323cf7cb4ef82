import { FakeClock } from '@reattach/core/testing';
import { RdsSim } from '@reattach/rds-sim';
import { BackendError } from '@reattach/ssh-transport';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatFenceComment } from '../../src/fence-comment.ts';
import { commandLine } from '../../src/routeros/command-line.ts';
import { addFenceStatement, removeFenceStatement, type Statement } from '../../src/routeros/queries.ts';

const NONCE = '0123456789abcdef';

/** Text an attacker may choose: anything, and everything that means something to RouterOS. */
const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string(),
  fc
    .array(
      fc.constantFrom(
        '"',
        '\\',
        '$',
        ';',
        '[',
        ']',
        '{',
        '}',
        '(',
        ')',
        '\n',
        '\r',
        ' ',
        'x',
        '=',
        '-',
        '?',
        '\u00e9',
        '\0',
      ),
      {
        maxLength: 8,
      },
    )
    .map((parts) => parts.join('')),
  fc.stringMatching(/^[A-Za-z0-9._:/=@ -]+$/),
);

/** What RouterOS, as the simulator reads it, printed for the statement; `undefined` when nothing was to be sent. */
function send(sim: RdsSim, statement: () => Statement): string | undefined {
  try {
    return sim.run(commandLine([statement()], NONCE).text);
  } catch (err) {
    if (err instanceof BackendError && err.code === 'INVALID_VALUE') return undefined;
    throw err;
  }
}

describe('values in commands', () => {
  it('are refused or arrive exactly as they were meant', async () => {
    await using sim = await RdsSim.start({ clock: new FakeClock() });
    let sent = 0;
    fc.assert(
      fc.property(hostile, fc.oneof(fc.ipV4(), hostile), (comment, address) => {
        const printed = send(sim, () => addFenceStatement(address, comment));
        const entries = sim.device.addressList.entries.map((entry) => [entry.address, entry.comment]);
        expect(entries).toEqual(printed === undefined ? [] : [[address, comment]]);
        expect([undefined, `END-${NONCE}\r\n`]).toContain(printed);
        if (printed === undefined) return;
        sent += 1;
        send(sim, () => removeFenceStatement(address, comment));
        expect(sim.device.addressList.entries).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
    expect(sent).toBeGreaterThan(100);
  });

  it('of a fence are refused or arrive exactly as they were meant', async () => {
    await using sim = await RdsSim.start({ clock: new FakeClock() });
    fc.assert(
      fc.property(hostile, hostile, hostile, (nodeName, nodeUid, bootId) => {
        const fence = { id: '00c0ffee', nodeName, nodeUid, bootId, addresses: [], fencedAtMs: 1 };
        const printed = send(sim, () => addFenceStatement('10.0.5.1', formatFenceComment(fence)));
        const meant = `reattach/2 id=00c0ffee node=${nodeName} uid=${nodeUid} boot=${bootId} m=- c=- o=- at=1`;
        const comments = sim.device.addressList.entries.map(({ comment }) => comment);
        expect(comments).toEqual(printed === undefined ? [] : [meant]);
        sim.run('/ip/firewall/address-list/remove [find]');
        expect(sim.device.addressList.entries).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });
});
