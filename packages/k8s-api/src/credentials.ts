import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';

/** How to open a TLS connection to the API server. Compared by value: a changed one needs new connections. */
export interface TlsOptions {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

/** What one request needs to be let in. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsOptions;
}

/**
 * Current credentials of the kubeconfig's context. Token and certificate files are read again (the token at least
 * every minute), and an exec plugin runs when its credential has expired. Concurrent calls share one reading.
 */
export class CredentialSource {
  readonly #config: KubeConfig;
  #reading: Promise<Credentials> | undefined;

  constructor(config: KubeConfig) {
    this.#config = config;
  }

  read(): Promise<Credentials> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<Credentials> {
    const options: RequestOptions = {};
    await this.#config.applyToHTTPSOptions(options);
    const headers: Record<string, string> = {};
    if (options.auth) headers['authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
    for (const [name, value] of Object.entries(options.headers ?? {}))
      headers[name.toLowerCase()] = String(value).trim(); // a token file may end in a newline
    const { tokenFile } = this.#config.getCurrentUser()?.authProvider?.config ?? {};
    if (tokenFile !== undefined && !/^Bearer \S/.test(headers['authorization'] ?? ''))
      throw Object.assign(new Error('The token file is empty'), { code: 'EMPTY', path: tokenFile });
    const { ca, cert, key, servername, rejectUnauthorized } = options;
    return {
      headers,
      tls: {
        ...(isPem(ca) && { ca }),
        ...(isPem(cert) && { cert }),
        ...(isPem(key) && { key }),
        ...(servername !== undefined && { servername }),
        ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
      },
    };
  }
}

function isPem(value: unknown): value is string | Buffer {
  return typeof value === 'string' || Buffer.isBuffer(value);
}
