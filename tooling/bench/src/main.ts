import { backend } from './backend.ts';
import { idlePass } from './idle-pass.ts';
import { informers } from './informers.ts';
import { resident } from './resident.ts';
import { startUp } from './start-up.ts';
import { triggerToWrite } from './trigger-to-write.ts';

const BENCHES: ReadonlyMap<string, () => Promise<void>> = new Map([
  ['backend', backend],
  ['idle-pass', idlePass],
  ['informers', informers],
  ['resident', resident],
  ['start-up', startUp],
  ['trigger-to-write', triggerToWrite],
]);

const names = process.argv.slice(2);
const unknown = names.filter((name) => !BENCHES.has(name));
if (unknown.length > 0) {
  process.stderr.write(`Expected names among ${[...BENCHES.keys()].join(', ')}, got ${unknown.join(', ')}\n`);
  process.exit(2);
}
for (const [name, bench] of BENCHES) if (names.length === 0 || names.includes(name)) await bench();
