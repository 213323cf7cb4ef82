import { RecordingLogger } from '@reattach/core/testing';
import { filesOf, type PageFile, pageFiles } from '@reattach/status-page';
import { buildPage } from '@reattach/status-page/build';
import { describe, expect, it } from 'vitest';
import { healthReport } from './health.ts';
import { HttpServer } from './http-server.ts';
import { pageRoutes } from './page-routes.ts';

const up = () => healthReport([]);

function start(files?: readonly PageFile[]): Promise<HttpServer> {
  const logger = new RecordingLogger();
  return HttpServer.start({
    host: '127.0.0.1',
    port: 0,
    live: up,
    ready: up,
    routes: pageRoutes(files),
    logger,
  });
}

/** Every script that is reached from this one. */
async function scriptsFrom(
  url: string,
  found: Map<string, string> = new Map(),
): Promise<Map<string, string>> {
  if (found.has(url)) return found;
  const response = await fetch(url);
  expect([url, response.status]).toEqual([url, 200]);
  expect(response.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
  const script = await response.text();
  found.set(url, script);
  for (const [, specifier = ''] of script.matchAll(/^\s*(?:import|export)\b[^;]*?from '([^']+)'/gm)) {
    await scriptsFrom(new URL(specifier, url).href, found);
  }
  return found;
}

describe.each([
  ['from source', () => pageFiles()],
  ['from the bundle', async () => filesOf(await buildPage())],
])('pageRoutes %s', (_where, files) => {
  it('serve the page and all that it loads, each with a policy that allows nothing else', async () => {
    await using server = await start(await files());
    const response = await fetch(`${server.url}/`);
    const html = await response.text();
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const linked = [...html.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, path]) => path);
    expect(linked).toEqual(['page/icon.svg', 'page/page.css', 'page/main.ts']);
    for (const path of ['', ...linked]) {
      const { status, headers } = await fetch(`${server.url}/${path}`);
      expect([path, status]).toEqual([path, 200]);
      expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self';/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
  });

  it('serve scripts that the browser can run without anything from elsewhere', async () => {
    await using server = await start(await files());
    const scripts = await scriptsFrom(`${server.url}/page/main.ts`);
    for (const script of scripts.values()) {
      expect(script).not.toMatch(/\bimport type\b|: readonly |innerHTML|outerHTML|insertAdjacentHTML/);
      expect(script).not.toMatch(/https?:\/\//);
    }
  });
});

describe('pageRoutes', () => {
  it('serve no test and no setting of the page', async () => {
    await using server = await start();
    for (const name of ['format.test.ts', 'tsconfig.json', '../page-files.ts', '..%2Fpage-files.ts']) {
      expect((await fetch(`${server.url}/page/${name}`)).status).toBe(404);
    }
  });

  it('say nothing to a foreign page', async () => {
    await using server = await start();
    const headers = { origin: 'https://elsewhere.example' };
    expect((await fetch(`${server.url}/`, { headers })).status).toBe(403);
  });
});
