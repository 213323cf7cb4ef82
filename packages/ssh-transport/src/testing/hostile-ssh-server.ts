import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

const KEXINIT = 20;
const GROUP_EXCHANGE_GROUP = 31;
/** Of the prime offered: OpenSSL computes with at most 10,000 bits. */
const PRIME_BYTES = 1_240;

/** Lists of a KEXINIT in their order; RFC 4253, section 7.1. */
const OFFER = [
  'diffie-hellman-group-exchange-sha256',
  'ssh-ed25519,rsa-sha2-512,ecdsa-sha2-nistp256',
  'aes128-gcm@openssh.com,aes128-ctr',
  'aes128-gcm@openssh.com,aes128-ctr',
  'hmac-sha2-256',
  'hmac-sha2-256',
  'none',
  'none',
  '',
  '',
];

/**
 * A peer at the address of a backend that offers only group exchange and answers with a large number in place of a prime. A client
 * that accepts computes with it on its event loop, before it knows the host key.
 */
export async function startHostileSshServer(): Promise<
  AsyncDisposable & { readonly port: number; connections(): number }
> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined); // the client hangs up in the middle
    socket.write('SSH-2.0-hostile\r\n');
    socket.write(
      packet(Buffer.concat([Buffer.of(KEXINIT), randomBytes(16), ...OFFER.map(text), Buffer.alloc(5)])),
    );
    const prime = randomBytes(PRIME_BYTES);
    prime[0] = 0x7f;
    prime[PRIME_BYTES - 1] = (prime.at(-1) ?? 0) | 1;
    const group = [Buffer.of(GROUP_EXCHANGE_GROUP), field(prime), field(Buffer.of(2))];
    setTimeout(() => socket.write(packet(Buffer.concat(group))), 50).unref();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A binary packet of SSH without encryption: RFC 4253, section 6. */
function packet(payload: Buffer): Buffer {
  const padding = 8 - ((payload.length + 5) % 8) + 8;
  const head = Buffer.alloc(5);
  head.writeUInt32BE(payload.length + padding + 1);
  head[4] = padding;
  return Buffer.concat([head, payload, Buffer.alloc(padding)]);
}

function field(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function text(value: string): Buffer {
  return field(Buffer.from(value));
}
