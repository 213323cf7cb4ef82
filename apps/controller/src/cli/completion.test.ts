import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from './commands.ts';
import { completionCommand, SHELLS } from './completion.ts';

async function scriptFor(shell: string): Promise<string> {
  let script = '';
  const io = { stdout: (text: string) => void (script += text) } as never;
  await completionCommand(() => COMMANDS).run({ args: [shell], flags: new Map(), configArgv: [] }, io);
  return script;
}

/** What bash offers for the last word. */
async function offers(...words: readonly string[]): Promise<readonly string[]> {
  const script = `reattach() { [ "$1" = completion ] && printf '%s\\n' "live-$2-a" "pod/default/live-$2"; }
${await scriptFor('bash')}
COMP_WORDS=(reattach ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}
_reattach; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
  expect(stderr).toBe('');
  return stdout.trimEnd().split('\n');
}

describe('completion', () => {
  it.each(SHELLS)('names every command and every flag of each, for %s', async (shell) => {
    const script = await scriptFor(shell);
    for (const { name, flags } of COMMANDS) {
      expect(script).toContain(name);
      for (const flag of flags)
        expect(script).toContain(shell === 'fish' ? `-l ${flag.name.slice(2)}` : flag.name);
    }
    expect(script).toContain('rds-address');
  });

  it('offers modes, and names that the running controller knows', async () => {
    expect(await offers('plan', '--mode', '')).toEqual(['observe', 'fence']);
    expect(await offers('plan', '--mode', '=', 'f')).toEqual(['fence']);
    expect(await offers('explain', 'live')).toEqual(['live-names-a']);
    expect(await offers('explain', 'pod/')).toEqual(['pod/default/live-names']);
    expect(await offers('fence', 'live')).toEqual(['live-nodes-a']);
    expect(await offers('fence', 'x', '--backend', '')).toContain('live-backends-a');
  });

  it('offers commands, flags and values in bash', async () => {
    expect(await offers('exp')).toEqual(['explain']);
    expect(await offers('status', '--ex')).toEqual(['--exit-code']);
    expect(await offers('status', '-o', 'j')).toEqual(['json']);
    expect(await offers('completion', 'f')).toEqual(['fish']);
    expect(await offers('fence', '--rds-u')).toEqual(['--rds-user']);
  });
});
