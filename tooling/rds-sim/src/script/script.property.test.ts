import { FakeClock } from '@reattach/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Device } from '../device/device.ts';
import { DEFAULT_DIALECT } from '../dialect.ts';
import { MenuTree } from '../menu/menu-tree.ts';
import { runScript } from './interpreter.ts';
import { parseScript } from './parser.ts';
import { ScriptError } from './script-error.ts';
import { tokenize } from './tokenizer.ts';

/** Pieces that mean something, separated by blanks, and those that no blank may lie in or that are one. */
const FRAGMENTS = [
  ':put :local :foreach :if :do :serialize :len :set :error :typeof',
  '/disk /ip/firewall/raw /ip firewall address-list /system/resource /log raw',
  'print get find add set remove enable where detail as-value terse count-only',
  'chain= list= address= do= in= value= to= json slot numbers=',
  '[ ] ( ) { } ; = != ~ < > -> , . + / * ! "',
  '$i "a" "$i" 1 0 *1 i x yes and or prerouting 10.0.0.1 \\',
]
  .join(' ')
  .split(' ')
  .concat('\n');

/** Scripts out of pieces that mean something, and scripts of anything. */
const scripts = fc.oneof(
  fc.array(fc.constantFrom(...FRAGMENTS), { maxLength: 30 }).map((parts) => parts.join(' ')),
  fc.array(fc.constantFrom(...FRAGMENTS), { maxLength: 30 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 200 }),
);

function tree(): MenuTree {
  const clock = new FakeClock();
  const device = new Device({ clock });
  device.addVolume({ slot: 'x', nqn: 'nqn.x', sizeBytes: 1 });
  const ssh = { port: 22, maxSessions: 20, remotes: [] };
  return new MenuTree({ device, clock, dialect: DEFAULT_DIALECT, users: () => [], ssh: () => ssh });
}

/** Whether `fn` returns, or throws the one error it may throw. */
function endsWell(fn: () => unknown): boolean {
  try {
    fn();
    return true;
  } catch (err) {
    return err instanceof ScriptError;
  }
}

describe('random scripts', () => {
  it('tokenize throws ScriptError or nothing, and its tokens cover the source in order', () => {
    fc.assert(
      fc.property(scripts, (source) => {
        let places: number[] = [];
        expect(endsWell(() => (places = tokenize(source).map(({ at }) => at)))).toBe(true);
        expect(places.every((at, i) => i === 0 || at > (places[i - 1] ?? 0))).toBe(true);
        expect(places.at(-1) ?? source.length).toBe(source.length);
      }),
      { numRuns: 2_000 },
    );
  });

  it('parseScript throws ScriptError or nothing', () => {
    const grammar = tree();
    fc.assert(
      fc.property(scripts, (source) => {
        expect(endsWell(() => parseScript(source, grammar))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('runScript throws nothing and ends every line with CRLF', () => {
    const dialect = DEFAULT_DIALECT;
    fc.assert(
      fc.property(scripts, (source) => {
        const options = { tree: tree(), dialect, mayWrite: true, widthColumns: 80, log: () => undefined };
        expect(runScript(source, dialect, options).output).toMatch(/^(?:[^]*\r\n)?$/);
      }),
      { numRuns: 2_000 },
    );
  });

  it('nesting as deep as a command can be is read', () => {
    const grammar = tree();
    for (const open of ['(', '[', '{', '[:put (', ':if (']) {
      expect(endsWell(() => parseScript(open.repeat(1_024 / open.length), grammar))).toBe(true);
    }
  });
});
