import { fileURLToPath } from 'node:url';
import { sampleRecords, sampleReport } from '@reattach/status-page/testing';
import { chromiumPath, launchChromium } from './chromium.ts';
import { SampleServer } from './sample-server.ts';

/** Pictures for the docs: `node --conditions=source test/e2e/page/take-screenshots.ts`. */
const PICTURES = [
  { name: 'desktop', viewport: { width: 1040, height: 800 }, colorScheme: 'light' },
  { name: 'phone', viewport: { width: 390, height: 844 }, colorScheme: 'dark' },
] as const;

const path = chromiumPath();
if (path === undefined) throw new Error('Expected a Chromium at CHROMIUM_PATH or /usr/bin/chromium');
const records = sampleRecords(Date.now());
await using server = await new SampleServer({
  report: () => sampleReport({ nodes: 12, attachments: 36, lostNodes: 1, nowMs: Date.now() }),
  records: () => records,
}).start();
const browser = await launchChromium(path);
for (const { name, viewport, colorScheme } of PICTURES) {
  const page = await browser.newPage({ viewport, colorScheme });
  await page.goto(server.url);
  await page.locator('#incident-list details').first().waitFor();
  const url = new URL(`../../../../../docs/images/status-page-${name}.png`, import.meta.url);
  await page.screenshot({ path: fileURLToPath(url) });
}
await browser.close();
