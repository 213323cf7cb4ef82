import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { StateReport } from '@reattach/status-page';
import { sampleRecords, sampleReport } from '@reattach/status-page/testing';
import type axe from 'axe-core';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath, launchChromium } from './chromium.ts';
import { SampleServer } from './sample-server.ts';

const chromium = chromiumPath();
if (chromium === undefined) console.warn('Skipped: no Chromium at CHROMIUM_PATH or /usr/bin/chromium');

/** Largest picture that is checked in, bytes. */
const MAX_BYTES = 60_000;

interface Situation {
  readonly name: string;
  readonly report: () => StateReport;
  /** The server stops after the first answer. */
  readonly stops?: true;
  readonly headline: RegExp;
}

const SITUATIONS: readonly Situation[] = [
  { name: 'healthy', report: () => healthy(), headline: /^All well/ },
  {
    name: 'held',
    report: () => sampleReport({ nodes: 12, attachments: 36, lostNodes: 1, nowMs: Date.now() }),
    headline: /held on node-0/,
  },
  {
    name: 'mass-failure',
    report: () => sampleReport({ nodes: 12, attachments: 96, lostNodes: 9, nowMs: Date.now() }),
    headline: /held on/,
  },
  { name: 'backend-down', report: () => backendDown(), headline: /./ },
  { name: 'no-answer', report: () => healthy(), stops: true, headline: /^No answer/ },
];

const LOOKS = [
  { look: 'light', viewport: { width: 900, height: 600 }, colorScheme: 'light' },
  { look: 'dark', viewport: { width: 900, height: 600 }, colorScheme: 'dark' },
  { look: 'phone', viewport: { width: 390, height: 760 }, colorScheme: 'light' },
] as const;

/** Pictures of the page for the docs; `WRITE_SCREENSHOTS=1` renews them. */
describe.skipIf(chromium === undefined)('pictures of the status page', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium(chromium ?? '');
  });
  afterAll(() => browser.close());

  const cases = SITUATIONS.flatMap((situation) => LOOKS.map((look) => ({ ...situation, ...look })));

  it.each(cases)('$name, $look: readable, nothing that axe finds, checked in', async (situation) => {
    const { name, look, report, stops, headline, viewport, colorScheme } = situation;
    const records = sampleRecords(Date.now());
    await using server = await new SampleServer({ report, records: () => records }).start();
    // axe is put in from outside, which the page's own policy forbids.
    const context = await browser.newContext({ viewport, colorScheme, bypassCSP: true });
    const page = await context.newPage();
    await page.goto(server.url);
    await page.locator('#content').waitFor();
    if (stops) await server.stop();
    await page
      .locator('#headline')
      .filter({ hasText: new RegExp(headline.source.replace(/^\^/, ''), headline.flags) })
      .waitFor();
    const widths = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    expect(widths[0]).toBeLessThanOrEqual(widths[1] ?? 0);

    const path = new URL(`../../../../../docs/images/status-page-${name}-${look}.jpg`, import.meta.url);
    const picture = await page.screenshot({ type: 'jpeg', quality: 38 });
    expect(picture.length).toBeGreaterThan(5_000);
    if (process.env['WRITE_SCREENSHOTS'] !== undefined) writeFileSync(path, picture);
    expect(existsSync(path)).toBe(true);
    expect(readFileSync(path).length).toBeLessThan(MAX_BYTES);

    const axeScript = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
    await page.evaluate(readFileSync(axeScript, 'utf8'));
    const { faults, checked } = await page.evaluate(async () => {
      const { run } = (globalThis as unknown as { axe: typeof axe }).axe;
      const { violations, passes } = await run(document, {
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
      });
      const found = violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
      return { faults: found, checked: passes.length };
    });
    expect(faults).toEqual([]);
    expect(checked).toBeGreaterThan(20);
    await context.close();
  });
});

function healthy(): StateReport {
  const report = sampleReport({ nodes: 6, attachments: 24, lostNodes: 0, nowMs: Date.now() });
  const enforcement = { kind: 'enforced' as const };
  return { ...report, backends: report.backends.map((backend) => ({ ...backend, enforcement, fences: [] })) };
}

/** The last reading is ten minutes old: what it said about fences is shown, marked as old. */
function backendDown(): StateReport {
  const nowMs = Date.now();
  const report = sampleReport({ nodes: 12, attachments: 36, lostNodes: 1, nowMs });
  return {
    ...report,
    backends: report.backends.map((backend) => ({
      ...backend,
      connected: false,
      detail: 'UNAVAILABLE: connect ECONNREFUSED 10.0.0.10:22',
      readAtMs: nowMs - 600_000,
    })),
  };
}
