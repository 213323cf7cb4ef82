import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below Linux' ephemeral range (32768 and up), so that no outgoing connection takes the port before its server does. */
const FIRST_PORT = 20_000;
const LAST_PORT = 31_999;
const ATTEMPTS = 50;

/** Finds a loopback port that nothing listens on. */
export async function freePort(): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const port = randomInt(FIRST_PORT, LAST_PORT + 1);
    const server = createServer().listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
      server.close();
      await once(server, 'close');
      return port;
    } catch (cause) {
      if (attempt === ATTEMPTS) throw new Error(`No free port found in ${ATTEMPTS} attempts`, { cause });
    }
  }
}
