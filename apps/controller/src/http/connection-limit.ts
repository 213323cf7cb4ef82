import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Refuses connections of an address that has `most` open ones already, so that one peer cannot take all that the server accepts.
 * @param most at least 1; a browser opens six
 */
export function limitConnectionsPerAddress(server: Server, most: number): void {
  const open = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const { remoteAddress: address = '' } = socket;
    const count = (open.get(address) ?? 0) + 1;
    if (count > most) {
      socket.destroy();
      return;
    }
    open.set(address, count);
    socket.once('close', () => {
      const left = (open.get(address) ?? 1) - 1;
      if (left > 0) open.set(address, left);
      else open.delete(address);
    });
  });
}
