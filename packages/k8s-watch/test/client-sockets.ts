import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

const CHANNEL = 'net.client.socket';

/** Counts the sockets this process connects, not those a server in it accepts, from its construction until it is disposed. */
export class ClientSockets implements Disposable {
  /** Connected, or connecting, and not closed. */
  open = 0;

  constructor() {
    subscribe(CHANNEL, this.#onSocket);
  }

  [Symbol.dispose](): void {
    unsubscribe(CHANNEL, this.#onSocket);
  }

  readonly #onSocket = (message: unknown): void => {
    this.open += 1;
    (message as { readonly socket: Socket }).socket.once('close', () => {
      this.open -= 1;
    });
  };
}
