import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';

/** An API server, and who asks. */
export interface ApiServer {
  readonly server: string;
  readonly certificateAuthority: string;
  readonly token: string;
}

export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

const TIMEOUT_MS = 20_000;

/** One request with a JSON body; any status is an answer. */
export async function send(
  { server, certificateAuthority: ca, token }: ApiServer,
  method: string,
  path: string,
  body: object,
): Promise<Answer> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const call = request(`${server}${path}`, { method, ca, headers, signal }).end(JSON.stringify(body));
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  const chunks = (await response.toArray()) as Buffer[];
  const text = Buffer.concat(chunks).toString();
  const answer: unknown = text.startsWith('{') ? JSON.parse(text) : { message: text };
  return { status: response.statusCode ?? 0, body: answer as Answer['body'] };
}
