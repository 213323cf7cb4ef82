import type { Source } from './sources.ts';

const NAMES = [
  /start(?:Active)?Span\(\s*'([^']+)'/g,
  /start(?:Active)?Span\(\s*`([^`]+)`/g,
  /in(?:Write|Node|Notice)Span\(\s*'([^']+)'/g,
  /inNodeSpan\('([^']+)'/g,
  /const SPAN_NAME = '([^']+)'/g,
];

/** What a change of a Node is called is the name of its span, too. */
const CHANGES = [/operation: '([^']+)',\n\s+path: apiPaths\.node/g, /#changeTaint\(node, '([^']+)'/g];

/** Names of spans that a file starts; what is put in when it runs as `<name>`. */
export function spanNamesIn({ text }: Source): readonly string[] {
  return [...NAMES, ...CHANGES]
    .flatMap((pattern) => [...text.matchAll(pattern)])
    .map(([, name = '']) => name.replaceAll(/\$\{(?:\w+\.)*(\w+)\}/g, '<$1>'));
}

const ATTRIBUTE = /(?<!\bname: )'((?:reattach|k8s|container|server|http|error)\.[a-z\d_.]+)'/g;

/** Attributes of spans and metrics that a file of a `telemetry` folder names. */
export function attributesIn({ path, text }: Source): readonly string[] {
  if (!path.includes('/telemetry/')) return [];
  return [...text.matchAll(ATTRIBUTE)].map(([, attribute = '']) => attribute);
}

/** Names in the table of instruments of a file. */
export function instrumentsIn({ path, text }: Source): readonly string[] {
  if (!/(?:\/telemetry\/|-)instruments\.ts$/.test(path)) return [];
  return [...text.matchAll(/^ {4}name: '([^']+)',$/gm)].map(([, name = '']) => name);
}
