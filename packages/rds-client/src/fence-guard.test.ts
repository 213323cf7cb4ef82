import { describe, expect, it } from 'vitest';
import { DROP_RULE } from '../test/support/snapshots.ts';
import { fenceGuard } from './fence-guard.ts';
import type { RawRule } from './snapshot.ts';

const ADD =
  '/ip/firewall/raw/add chain=prerouting action=drop protocol=tcp dst-port=4420 src-address-list=reattach-fenced comment="reattach"';
const FIND = '[find where chain=prerouting and action=drop and src-address-list=reattach-fenced]';

function drop(matchers: Record<string, string>, overrides: Partial<RawRule> = {}): RawRule {
  return { ...DROP_RULE, ...overrides, matchers: { 'src-address-list': 'reattach-fenced', ...matchers } };
}

function rule(
  action: string,
  matchers: Record<string, string> = {},
  overrides: Partial<RawRule> = {},
): RawRule {
  return { action, disabled: false, invalid: false, matchers, ...overrides };
}

describe('fenceGuard', () => {
  it.each<[string, readonly RawRule[], readonly number[]]>([
    ['the rule', [DROP_RULE], [4420]],
    ['a rule without a protocol', [drop({})], [4420]],
    ['protocol 6', [drop({ protocol: '6', 'dst-port': '4420' })], [4420]],
    ['a list of ports', [drop({ protocol: 'tcp', 'dst-port': '22,4420-4430' })], [4420, 4425]],
    ['no export at all', [DROP_RULE], []],
    ['an earlier drop or log rule', [rule('drop'), rule('log'), rule('passthrough'), DROP_RULE], [4420]],
    ['an earlier accept that is disabled', [rule('accept', {}, { disabled: true }), DROP_RULE], [4420]],
    ['an earlier accept of UDP', [rule('accept', { protocol: 'udp' }), DROP_RULE], [4420]],
    [
      'an earlier accept of another port',
      [rule('accept', { protocol: 'tcp', 'dst-port': '22' }), DROP_RULE],
      [4420],
    ],
    ['a later accept', [DROP_RULE, rule('accept')], [4420]],
    ['a second, better rule', [drop({}, { disabled: true }), DROP_RULE], [4420]],
  ])('enforced: %s', (_, rules, ports) => {
    expect(fenceGuard(rules, ports)).toEqual({ kind: 'enforced' });
  });

  it.each<[string, readonly RawRule[], readonly number[], RegExp, string]>([
    ['no rule', [], [4420], /no drop rule/, ADD],
    [
      'a rule for another list',
      [rule('drop', { 'src-address-list': '!reattach-fenced' })],
      [4420],
      /no drop rule/,
      `${ADD.replace(' comment', ' comment')} place-before=0`,
    ],
    [
      'a disabled rule',
      [drop({}, { disabled: true })],
      [4420],
      /disabled/,
      `/ip/firewall/raw/enable ${FIND}`,
    ],
    ['an invalid rule', [drop({}, { invalid: true })], [4420], /invalid/, `${ADD} place-before=0`],
    [
      'a further condition',
      [drop({ 'in-interface': 'ether1' })],
      [4420],
      /in-interface/,
      `${ADD} place-before=0`,
    ],
    ['another protocol', [drop({ protocol: 'udp' })], [4420], /protocol=udp/, `${ADD} place-before=0`],
    ['all protocols but one', [drop({ protocol: '!udp' })], [4420], /protocol=!udp/, `${ADD} place-before=0`],
    ['a port left out', [DROP_RULE], [4420, 4421], /4421/, `/ip/firewall/raw/set ${FIND} dst-port=4420,4421`],
    [
      'negated ports',
      [drop({ protocol: 'tcp', 'dst-port': '!22' })],
      [4420],
      /4420/,
      `/ip/firewall/raw/set ${FIND} dst-port=4420`,
    ],
    [
      'an earlier accept',
      [rule('accept'), DROP_RULE],
      [4420],
      /accept/,
      `/ip/firewall/raw/move ${FIND} destination=0`,
    ],
    [
      'an earlier accept of some ports',
      [rule('accept', { protocol: 'tcp', 'dst-port': '4000-5000' }), DROP_RULE],
      [4420],
      /accept/,
      `/ip/firewall/raw/move ${FIND} destination=0`,
    ],
    [
      'an earlier accept of all but some ports',
      [rule('accept', { protocol: 'tcp', 'dst-port': '!22' }), DROP_RULE],
      [4420],
      /accept/,
      `/ip/firewall/raw/move ${FIND} destination=0`,
    ],
    [
      'an earlier jump',
      [rule('jump'), DROP_RULE],
      [4420],
      /jump/,
      `/ip/firewall/raw/move ${FIND} destination=0`,
    ],
    [
      'an earlier notrack',
      [rule('notrack', { protocol: 'tcp' }), DROP_RULE],
      [4420],
      /notrack/,
      `/ip/firewall/raw/move ${FIND} destination=0`,
    ],
  ])('unenforced: %s', (_, rules, ports, detail, fix) => {
    expect(fenceGuard(rules, ports)).toEqual({
      kind: 'not-enforced',
      detail: expect.stringMatching(detail),
      fix,
    });
  });
});
