import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KubeApiError } from '../../src/kube-api-error.ts';
import { loadKubeApi } from '../../src/load-kube-api.ts';
import { startTestServer } from './test-server.ts';

const { signal } = new AbortController();
const PEM = Buffer.from('-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n').toString('base64');

describe('loadKubeApi', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reattach-kubeconfig-'));
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    vi.useRealTimers();
    await rm(folder, { recursive: true });
  });

  const path = (name: string) => join(folder, name);
  const write = async (name: string, content: string | object) => {
    const text = typeof content === 'string' ? content : JSON.stringify(content); // JSON is YAML
    await writeFile(path(name), text);
    return path(name);
  };

  /** What a server answers to the context's credentials. */
  async function headersSent(kubeconfig: (server: string) => object): Promise<unknown> {
    await using server = await startTestServer((response) => response.end('{}'));
    const file = await write('config', kubeconfig(server.url));
    await using api = loadKubeApi({ kubeconfigPaths: [file] });
    await api.request({ method: 'GET', path: '/x', operation: 'get thing', signal });
    return server.received[0]?.headers;
  }

  describe('with one file', () => {
    it('sends the token of a tokenFile, which counts before a token', async () => {
      await write('token', 'from-file\n');
      const headers = await headersSent((server) =>
        config({ server, user: { tokenFile: 'token', token: 'inline' } }),
      );
      expect(headers).toMatchObject({ authorization: 'Bearer from-file' });
    });

    it('reads the tokenFile again', async () => {
      await using server = await startTestServer((response) => response.end('{}'));
      const tokenFile = await write('token', 'first');
      const file = await write('config', config({ server: server.url, user: { tokenFile } }));
      await using api = loadKubeApi({ kubeconfigPaths: [file] });
      const get = () => api.request({ method: 'GET', path: '/x', operation: 'get thing', signal });
      await get();
      await write('token', 'second');
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 });
      await get();
      expect(server.received.map(({ headers }) => headers['authorization'])).toEqual([
        'Bearer first',
        'Bearer second',
      ]);
    });

    it('sends nothing while the tokenFile is empty', async () => {
      await write('token', '\n');
      const sent = headersSent((server) => config({ server, user: { tokenFile: 'token' } }));
      await expect(sent).rejects.toMatchObject({
        code: 'UNAUTHORIZED',
        outcome: 'not-applied',
        message: expect.stringContaining(`EMPTY ${path('token')}`),
      });
    });

    it.each([
      ['token', { token: 't' }, 'Bearer t'],
      [
        'username and password',
        { username: 'u', password: 'p' },
        `Basic ${Buffer.from('u:p').toString('base64')}`,
      ],
      ['nothing', {}, undefined],
    ])('authenticates with %s', async (_what, user, authorization) => {
      const headers = await headersSent((server) => config({ server, user }));
      expect((headers as Record<string, unknown>)['authorization']).toBe(authorization);
    });

    it('runs an exec plugin beside the file', async () => {
      await mkdir(path('bin'));
      const credential = {
        apiVersion: 'client.authentication.k8s.io/v1',
        kind: 'ExecCredential',
        status: { token: 'e' },
      };
      await writeFile(path('bin/plugin'), `#!/bin/sh\necho '${JSON.stringify(credential)}'\n`, {
        mode: 0o700,
      });
      const exec = { apiVersion: credential.apiVersion, command: './bin/plugin', interactiveMode: 'Never' };
      const headers = await headersSent((server) => config({ server, user: { exec } }));
      expect(headers).toMatchObject({ authorization: 'Bearer e' });
    });

    it.each<[string, object | string, string]>([
      ['is not YAML', 'clusters: [\ntoken: hunter2', 'kubeconfig FILE is not YAML: '],
      ['is a text', 'hello', 'kubeconfig FILE is not a YAML mapping'],
      ['has clusters that are not a list', { clusters: {} }, 'kubeconfig FILE: clusters is not a list'],
      [
        'has a nameless user',
        { users: [{ user: {} }] },
        'kubeconfig FILE: users[0].name is missing or not a text',
      ],
      ['has no current context', {}, 'kubeconfig FILE has no current-context, and no context was named'],
      ['has an empty current context', { 'current-context': '' }, 'kubeconfig FILE has no current-context'],
      [
        'names a context that it lacks',
        { 'current-context': 'c' },
        'kubeconfig FILE has no context "c"; it has none',
      ],
      [
        'names a cluster that it lacks',
        { ...config({}), clusters: [] },
        'context "ctx": cluster "cl" is not among the clusters',
      ],
      [
        'names a user that it lacks',
        { ...config({}), users: [] },
        'context "ctx": user "us" is not among the users',
      ],
      [
        'has a cluster without server',
        config({ server: '' }),
        'cluster "cl" of context "ctx": server is missing',
      ],
      [
        'has a server that is not a URL',
        config({ server: 'kube:6443' }),
        'cluster "cl" of context "ctx": server is not an http or https URL: "kube:6443"',
      ],
      [
        'has a proxy',
        config({ cluster: { 'proxy-url': 'http://p' } }),
        'cluster "cl" of context "ctx": proxy-url is not supported',
      ],
      [
        'skips TLS checks by a text',
        config({ cluster: { 'insecure-skip-tls-verify': 'yes' } }),
        'insecure-skip-tls-verify is neither true nor false',
      ],
      [
        'has a CA that is not PEM',
        config({ cluster: { 'certificate-authority-data': 'eA==' } }),
        'cluster "cl" of context "ctx": certificate-authority-data is not PEM in base64',
      ],
      [
        'has a CA file that is missing',
        config({ cluster: { 'certificate-authority': 'ca.crt' } }),
        'certificate-authority names a file that cannot be read (ENOENT FOLDER/ca.crt)',
      ],
      [
        'has a token that is not a text',
        config({ user: { token: 7 } }),
        'user "us" of context "ctx": token is not a text',
      ],
      [
        'has a tokenFile that is missing',
        config({ user: { tokenFile: 'gone' } }),
        'user "us" of context "ctx": tokenFile names a file that cannot be read (ENOENT FOLDER/gone)',
      ],
      [
        'has a certificate without key',
        config({ user: { 'client-certificate-data': PEM } }),
        'user "us" of context "ctx": client-certificate and client-key must be given together',
      ],
      [
        'impersonates groups',
        config({ user: { as: 'u', 'as-groups': ['g'] } }),
        'user "us" of context "ctx": as-groups is not supported',
      ],
      [
        'has a plugin without command',
        config({ user: { exec: {} } }),
        'user "us" of context "ctx": exec.command is missing or not a text',
      ],
    ])('is refused when it %s', async (_what, content, message) => {
      const file = await write('config', content);
      const expected = message.replace('FILE', file).replace('FOLDER', folder);
      const refused = refusal(file);
      expect(refused).toContain(expected);
      expect(refused).toContain(file);
      expect(refused).not.toContain('hunter2');
    });

    it('is refused within a second when its aliases explode', async () => {
      const levels = Array.from(
        { length: 20 },
        (_, index) => `a${index + 1}: &a${index + 1} [${`*a${index},`.repeat(9)}]`,
      );
      const file = await write('config', `a0: &a0 [x]\n${levels.join('\n')}\n`);
      expect(refusal(file)).toContain(`kubeconfig ${file} has too many YAML aliases`);
    });

    it('is refused when it does not exist', () => {
      expect(refusal(path('gone'))).toBe(`BAD_CONFIG: kubeconfig ${path('gone')} does not exist`);
    });

    it('takes another context that was named', async () => {
      const file = await write('config', config({}));
      const load = () => loadKubeApi({ kubeconfigPaths: [file], context: 'other' });
      expect(failure(load)).toContain(`kubeconfig ${file} has no context "other"; it has "ctx"`);
    });
  });

  describe('with several files', () => {
    it('merges them: the first entry of a name and the first current context count', async () => {
      const a = await write('a', { clusters: [{ name: 'cl', cluster: { server: 'https://first' } }] });
      const b = await write('b', config({ server: 'https://second' }));
      const c = await write('c', { ...config({ server: 'https://third' }), 'current-context': 'other' });
      await using api = loadKubeApi({ kubeconfigPaths: [a, b, c] });
      expect(api.server).toBe('https://first');
    });

    it('skips those that do not exist, and empty ones', async () => {
      const empty = await write('empty', '');
      const file = await write('config', config({ server: 'https://only' }));
      await using api = loadKubeApi({ kubeconfigPaths: [path('gone'), empty, file] });
      expect(api.server).toBe('https://only');
    });

    it('starts relative paths at the folder of the file that holds them', async () => {
      await mkdir(path('sub'));
      await write('sub/token', 't');
      const user = await write('sub/user', { users: [{ name: 'us', user: { tokenFile: 'token' } }] });
      await using server = await startTestServer((response) => response.end('{}'));
      const rest = await write('config', config({ server: server.url }));
      await using api = loadKubeApi({ kubeconfigPaths: [user, rest] });
      await api.request({ method: 'GET', path: '/x', operation: 'get thing', signal });
      expect(server.received[0]?.headers['authorization']).toBe('Bearer t');
    });
  });

  describe('without a file', () => {
    it('says that there is no service account either', () => {
      vi.stubEnv('KUBERNETES_SERVICE_HOST', undefined);
      vi.stubEnv('KUBERNETES_SERVICE_PORT', undefined);
      expect(failure(() => loadKubeApi())).toContain('neither a kubeconfig nor a service account');
    });

    it('uses the service account of the pod', async () => {
      vi.stubEnv('KUBERNETES_SERVICE_HOST', 'fd00::1');
      vi.stubEnv('KUBERNETES_SERVICE_PORT', '443');
      await using api = loadKubeApi();
      expect(api.server).toBe('https://[fd00::1]:443');
    });

    it('has no contexts', () => {
      expect(failure(() => loadKubeApi({ context: 'c' }))).toContain(
        'there is no kubeconfig, so context "c"',
      );
    });
  });
});

interface Parts {
  readonly server?: string;
  readonly cluster?: object;
  readonly user?: object;
}

function config({ server = 'https://kube:6443', cluster, user = {} }: Parts): object {
  return {
    'current-context': 'ctx',
    clusters: [{ name: 'cl', cluster: { server, ...cluster } }],
    users: [{ name: 'us', user }],
    contexts: [{ name: 'ctx', context: { cluster: 'cl', user: 'us' } }],
  };
}

function refusal(...files: string[]): string {
  return failure(() => loadKubeApi({ kubeconfigPaths: files }));
}

/** The message of the refusal. */
function failure(load: () => unknown): string {
  try {
    load();
  } catch (err) {
    if (err instanceof KubeApiError && err.code === 'BAD_CONFIG') return err.message;
    throw err;
  }
  throw new Error('The kubeconfig was accepted');
}
