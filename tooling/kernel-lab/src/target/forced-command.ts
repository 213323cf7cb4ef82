import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { GuestImage } from '../machines/guest-image.ts';
import { GuestShell } from '../machines/guest-shell.ts';
import { parseReply, type Section } from './parse-reply.ts';

/** A socket of a host at the target. */
export interface TargetSocket {
  readonly state: string;
  readonly peer: string;
}

/** The forced command of the target, as the controller's SSH key runs it. */
export class ForcedCommand implements Disposable {
  readonly #shell: GuestShell;

  private constructor(shell: GuestShell) {
    this.#shell = shell;
  }

  static async open(controlAddress: string, image: GuestImage): Promise<ForcedCommand> {
    return new ForcedCommand(
      await GuestShell.open(controlAddress, await readFile(image.privateKey), 'reattach'),
    );
  }

  /** @throws {Error} with what the script says when it refuses or fails */
  async request(verb: 'read' | 'fence' | 'unfence', fields: string): Promise<ReadonlyMap<string, Section>> {
    const nonce = randomBytes(8).toString('hex');
    const { code, stdout, stderr } = await this.#shell.tryRun(`${verb} ${nonce} ${fields}`.trim());
    if (code !== 0) throw new Error(`${verb} ${fields}: exit code ${String(code)}: ${stdout}${stderr}`);
    return parseReply(stdout, verb, nonce);
  }

  /** Sockets of a host, without those of the IPv4 addresses that it does not have. */
  async sockets(addresses: readonly string[]): Promise<readonly TargetSocket[]> {
    const lines = (await this.request('read', 'ports=4420')).get('sockets')?.lines ?? [];
    return lines
      .filter((line) => /^\S/.test(line))
      .map((line) => line.split(/\s+/))
      .map(([state = '', , , , peer = '']) => ({
        state,
        peer: peer.replace(/:\d+$/, '').replace(/^\[|\]$/g, ''),
      }))
      .filter(({ peer }) => addresses.includes(peer));
  }

  [Symbol.dispose](): void {
    this.#shell[Symbol.dispose]();
  }
}
