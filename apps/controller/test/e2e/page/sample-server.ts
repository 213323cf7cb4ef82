import { silentLogger, systemClock } from '@reattach/core';
import type { AuditRecord, PageFile, StateReport } from '@reattach/status-page';
import { lostOnly } from '@reattach/status-page/testing';
import { healthReport } from '../../../src/http/health.ts';
import { type HttpRoute, jsonAnswer } from '../../../src/http/http-route.ts';
import { HttpServer } from '../../../src/http/http-server.ts';
import { pageRoutes } from '../../../src/http/page-routes.ts';
import { stateRoutes } from '../../../src/state/state-routes.ts';

export interface SampleServerOptions {
  readonly report: () => StateReport;
  readonly records?: () => readonly AuditRecord[];
  /** Default: from source. */
  readonly files?: readonly PageFile[];
}

const up = () => healthReport([]);

/** The controller's own server and page over made-up data, where a real cluster would need 1,000 nodes. */
export class SampleServer implements AsyncDisposable {
  /** May be replaced while the server runs. */
  report: () => StateReport;
  readonly #options: SampleServerOptions;
  #server: HttpServer | undefined;
  #port = 0;

  constructor(options: SampleServerOptions) {
    this.#options = options;
    this.report = options.report;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  /** Listens, again at the same port after a stop. */
  async start(): Promise<this> {
    const { files, records = () => [] } = this.#options;
    const history: HttpRoute = {
      method: 'GET',
      path: '/history',
      answer: () => jsonAnswer(200, { records: records() }),
    };
    const state = stateRoutes({
      report: (choice) => (choice === 'all' ? this.report() : lostOnly(this.report())),
      reconcile: () => undefined,
      leading: () => true,
      clock: systemClock,
    });
    this.#server = await HttpServer.start({
      host: '127.0.0.1',
      port: this.#port,
      live: up,
      ready: up,
      routes: [...state, history, ...pageRoutes(files)],
      logger: silentLogger,
    });
    this.#port = Number(new URL(this.#server.url).port);
    return this;
  }

  async stop(): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
