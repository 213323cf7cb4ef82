import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** `from`: what the guest sends is lost. `to`: what is sent to it is lost. */
export type Direction = 'from' | 'to';

/** Address of the lab itself on the network over which it reaches its guests. */
export const LAB_ADDRESS = '10.8.0.1';

/**
 * Two bridges inside the network namespace of this process: `storage`, over which hosts reach the target and which can be
 * cut, and `control`, over which the lab reaches its guests.
 */
export class LabNetwork {
  private constructor() {}

  static async create(guests: readonly string[]): Promise<LabNetwork> {
    await ip('link', 'set', 'lo', 'up');
    for (const bridge of ['storage', 'control']) {
      await ip('link', 'add', bridge, 'type', 'bridge');
      for (const guest of guests) {
        const tap = tapName(bridge, guest);
        await ip('tuntap', 'add', 'dev', tap, 'mode', 'tap');
        await ip('link', 'set', tap, 'master', bridge, 'up');
      }
      await ip('link', 'set', bridge, 'up');
    }
    await ip('addr', 'add', `${LAB_ADDRESS}/24`, 'dev', 'control');
    await nft(
      [
        'table bridge lab {',
        '  set from { type ifname; }',
        '  set to { type ifname; }',
        '  chain forward {',
        '    type filter hook forward priority 0;',
        '    iifname @from drop',
        '    oifname @to drop',
        '  }',
        '}',
        '',
      ].join('\n'),
    );
    return new LabNetwork();
  }

  /** Cuts the guest off the storage network, one way or both. */
  async cut(guest: string, directions: readonly Direction[] = ['from', 'to']): Promise<void> {
    await this.#change('add', guest, directions);
  }

  async heal(guest: string, directions: readonly Direction[] = ['from', 'to']): Promise<void> {
    await this.#change('delete', guest, directions);
  }

  async #change(verb: string, guest: string, directions: readonly Direction[]): Promise<void> {
    const tap = tapName('storage', guest);
    await nft(directions.map((set) => `${verb} element bridge lab ${set} { "${tap}" }\n`).join(''));
  }
}

/** Interface names have at most 15 characters. */
export function tapName(bridge: string, guest: string): string {
  return `${bridge.slice(0, 3)}-${guest}`;
}

async function ip(...args: string[]): Promise<void> {
  await run('ip', args);
}

async function nft(text: string): Promise<void> {
  const child = spawn('nft', ['-f', '-'], { stdio: ['pipe', 'inherit', 'inherit'] });
  child.stdin.end(text);
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`nft ended with exit code ${String(code)} for ${JSON.stringify(text)}`);
}
