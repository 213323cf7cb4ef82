import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Item {
  readonly kind: string;
  readonly metadata: object;
}

/** What is asked for lists of, with the kind of their items. */
const KINDS: Readonly<Record<string, string>> = {
  namespaces: 'Namespace',
  services: 'Service',
  endpointslices: 'EndpointSlice',
  mutatingwebhookconfigurations: 'MutatingWebhookConfiguration',
  validatingwebhookconfigurations: 'ValidatingWebhookConfiguration',
  validatingadmissionpolicies: 'ValidatingAdmissionPolicy',
  validatingadmissionpolicybindings: 'ValidatingAdmissionPolicyBinding',
};
const REVISION = '1';

/**
 * Plays kube-apiserver for apiextensions-apiserver: a token is the name of its bearer, everybody may do everything, and
 * `items` are all the objects there are. @returns its base URL, until disposal.
 */
export async function startPolicyCore(
  items: readonly Item[],
): Promise<AsyncDisposable & { readonly url: string }> {
  const objects = items.map((item, index) => ({
    ...item,
    metadata: { ...item.metadata, uid: `uid-${index}`, resourceVersion: REVISION, generation: 1 },
  }));
  const server = createServer((request, response) => void answer(request, response, objects));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  objects: readonly Item[],
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://core');
  const resource = pathname.split('/').at(-1) ?? '';
  if (request.method === 'POST') {
    const chunks = await request.toArray();
    const review = JSON.parse(Buffer.concat(chunks as Buffer[]).toString()) as {
      readonly spec: { readonly token?: string };
    };
    const { token } = review.spec;
    const status =
      token === undefined ? { allowed: true } : { authenticated: true, user: { username: token } };
    return send(response, 201, { ...review, status });
  }
  const kind = KINDS[resource];
  if (kind === undefined)
    return send(response, 404, {
      apiVersion: 'v1',
      kind: 'Status',
      status: 'Failure',
      code: 404,
      reason: 'NotFound',
    });
  const found = objects.filter((object) => object.kind === kind);
  const apiVersion = pathname.split('/').slice(2, -1).join('/');
  if (!searchParams.has('watch')) {
    return send(response, 200, {
      apiVersion,
      kind: `${kind}List`,
      metadata: { resourceVersion: REVISION },
      items: found,
    });
  }
  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
  if (searchParams.get('sendInitialEvents') !== 'true') return; // nothing ever changes
  for (const object of found) response.write(`${JSON.stringify({ type: 'ADDED', object })}\n`);
  const annotations = { 'k8s.io/initial-events-end': 'true' };
  const bookmark = { apiVersion, kind, metadata: { resourceVersion: REVISION, annotations } };
  response.write(`${JSON.stringify({ type: 'BOOKMARK', object: bookmark })}\n`);
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
