import { fileURLToPath } from 'node:url';
import { ControllerProcess } from '@reattach/sim-world';

const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));

/** The controller of this checkout, from source. */
export function startController(flags: readonly string[]): ControllerProcess {
  return new ControllerProcess({ main: MAIN, flags });
}
