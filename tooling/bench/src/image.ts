import { readFileSync } from 'node:fs';

const dockerfile = readFileSync(new URL('../../../deploy/Dockerfile', import.meta.url), 'utf8');
const [, entryPoint = '[]'] = /^ENTRYPOINT (\[.*\])$/m.exec(dockerfile) ?? [];
/** How the image starts Node.js. */
export const IMAGE_FLAGS: readonly string[] = (JSON.parse(entryPoint) as string[]).filter((word) =>
  word.startsWith('--'),
);
/** What it sets for it. */
export const IMAGE_ENV: Readonly<Record<string, string | undefined>> = Object.fromEntries(
  [...dockerfile.matchAll(/^ENV (\w+)=(\S+)$/gm)].map(([, name = '', value]) => [name, value]),
);
