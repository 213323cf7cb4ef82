import { ipAddresses } from '@reattach/core';
import type { FakeSession } from '@reattach/ssh-transport/testing';
import { describe, expect, it } from 'vitest';
import { fakeBackend } from '../test/support/fake-backend.ts';
import { formatFenceComment } from './fence-comment.ts';
import { type FenceLink, fenceAddresses, unfenceEntries } from './fence-effects.ts';

const FENCE = { id: '00c0ffee', nodeName: 'node-a', addresses: [], fencedAtMs: 1 };
const ENTRY = { address: '10.0.5.1', comment: formatFenceComment(FENCE), disabled: false, dynamic: false };

/** A link to a backend whose fence list shows these entries, one after the other. */
function linkTo(...lists: readonly (readonly unknown[])[]): {
  connect: () => Promise<FenceLink>;
  session: FakeSession;
} {
  const shown = [...lists];
  const { client, session } = fakeBackend({ fences: () => (shown.length > 1 ? shown.shift() : shown[0]) });
  const signal = new AbortController().signal;
  return {
    connect: async () => ({
      backend: 'rds-1',
      client,
      session,
      dialect: 'serialize',
      exportPorts: [4420],
      signal,
    }),
    session,
  };
}

describe('fenceAddresses', () => {
  it('does not believe a backend that accepts an entry and does not show it', async () => {
    const { connect } = linkTo([]);
    await expect(fenceAddresses(connect, FENCE, ['10.0.5.1'])).rejects.toMatchObject({
      code: 'NOT_FENCED',
      outcome: 'unknown',
      message: 'NOT_FENCED: Backend rds-1 does not fence 10.0.5.1 (no entry) for fence 00c0ffee',
    });
  });

  it('sends one read when everything is fenced', async () => {
    const { connect, session } = linkTo([ENTRY]);
    await fenceAddresses(connect, FENCE, ['10.0.5.1']);
    expect(session.commands).toHaveLength(1);
  });

  it('says unknown when the read-back fails after an entry was added', async () => {
    const { connect } = linkTo([], ['no record']);
    const fencing = fenceAddresses(connect, FENCE, ['10.0.5.1']);
    await expect(fencing).rejects.toMatchObject({ code: 'MALFORMED', outcome: 'unknown' });
  });
});

describe('an entry that is in the way', () => {
  const other = formatFenceComment({ ...FENCE, id: 'deadbeef', nodeName: 'node-b' });
  const RESTAMPED = [{ ...ENTRY }];

  it.each([
    ['of an earlier record', { ...ENTRY, comment: other }],
    ['that was disabled', { ...ENTRY, disabled: true }],
  ])('%s is given to this record in place', async (_what, entry) => {
    const { connect, session } = linkTo([entry], RESTAMPED);
    expect(await fenceAddresses(connect, FENCE, ['10.0.5.1'])).toBe(true);
    const changes = session.commands.filter((command) => /address-list\/(add|set|remove)/.test(command));
    expect(changes).toHaveLength(1);
    expect(changes[0]).toContain(
      `/ip/firewall/address-list/set [find where list=reattach-fenced and address=10.0.5.1`,
    );
    expect(changes[0]).toContain(`disabled=no comment="${ENTRY.comment}"`);
  });

  it.each([
    ['of another cluster', { clusterId: 'theirs' }],
    ['of another owner', { owner: 'their.csi' }],
  ])('%s is left alone', async (_what, theirs) => {
    const foreign = { ...ENTRY, comment: formatFenceComment({ ...FENCE, id: 'deadbeef', ...theirs }) };
    const ours = { ...FENCE, clusterId: 'ours', owner: 'our.csi' };
    const { connect, session } = linkTo([foreign]);
    await expect(fenceAddresses(connect, ours, ['10.0.5.1'])).rejects.toMatchObject({ code: 'NOT_FENCED' });
    expect(session.commands.some((command) => /address-list\/(set|remove)/.test(command))).toBe(false);
  });
});

describe('unfenceEntries', () => {
  it('does not believe a backend that accepts a removal and still shows the entry', async () => {
    const { connect } = linkTo([ENTRY]);
    await expect(
      unfenceEntries(connect, { ...FENCE, addresses: ipAddresses([]), inForce: [], seenSinceMs: 0 }),
    ).rejects.toMatchObject({
      code: 'STILL_FENCED',
      outcome: 'unknown',
      message: 'STILL_FENCED: Backend rds-1 still fences 10.0.5.1 for 00c0ffee',
    });
  });

  it('removes entries of the fence in any state, and only those', async () => {
    const other = { ...ENTRY, comment: ENTRY.comment.replace('00c0ffee', 'deadbeef') };
    const { connect, session } = linkTo(
      [{ ...ENTRY, disabled: true }, other, { ...ENTRY, address: '10.0.6.1' }],
      [other],
    );
    await unfenceEntries(connect, { ...FENCE, addresses: ipAddresses([]), inForce: [], seenSinceMs: 0 });
    const removed = session.commands.filter((command) => command.includes('remove'));
    expect(
      removed.map((command) => /address=(\S+) and comment="[^"]*id=(\w+)/.exec(command)?.slice(1)),
    ).toEqual([
      ['10.0.5.1', '00c0ffee'],
      ['10.0.6.1', '00c0ffee'],
    ]);
  });
});
