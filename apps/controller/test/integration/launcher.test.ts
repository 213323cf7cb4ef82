import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const LAUNCHER = fileURLToPath(new URL('../../reattach.mjs', import.meta.url));

/** Starts the launcher by a Node that claims to be of this version. */
function start(version: string) {
  const fake = `Object.defineProperty(process, 'versions', { value: { node: '${version}' } })`;
  const args = ['--import', `data:text/javascript,${encodeURIComponent(fake)}`, LAUNCHER, 'status'];
  return spawnSync(process.execPath, args, { encoding: 'utf8' });
}

describe('reattach', () => {
  it.each(['18.20.0', '20.20.2', '24.14.1'])('says in one line that Node %s is too old', (version) => {
    const { status, stderr, stdout } = start(version);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(
      /^reattach needs Node 24\.15 or newer, this is [\d.]+ \(.*\)\. Start it with a newer one, for example: npx -y node@24 .*\n$/,
    );
  });

  it('starts the bundle beside it with a Node that is new enough', () => {
    expect(start('24.15.0').stderr).toContain('main.mjs'); // not built here
  });
});
