#!/usr/bin/env node
// Starts `main.mjs`, which an older Node cannot even parse. This file uses only what every Node since 14 knows.
const NEEDED = [24, 15];
const [major, minor] = process.versions.node.split('.').map(Number);

if (major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1])) {
  process.stderr.write(
    `reattach needs Node ${NEEDED.join('.')} or newer, this is ${process.versions.node} (${process.execPath}). Start it with a newer one, for example: npx -y node@24 ${process.argv[1]}\n`,
  );
  process.exit(2);
}
await import('./main.mjs');
