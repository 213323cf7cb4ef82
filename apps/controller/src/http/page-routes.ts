import { type PageFile, pageFiles } from '@reattach/status-page';
import type { HttpRoute } from './http-route.ts';

/**
 * Headers of every file: the browser loads nothing from another host, runs no inline script, turns no text into markup, and refuses
 * to show the page in a frame.
 */
const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
};

/** The status page at `/`. It reads `/state` and `/history`, and changes nothing. */
export function pageRoutes(files: readonly PageFile[] = pageFiles()): readonly HttpRoute[] {
  return files.map(({ path, contentType, read }) => ({
    method: 'GET',
    path,
    answer: () => ({ status: 200, contentType, headers: HEADERS, body: read() }),
  }));
}
