import type { Section } from './reply.ts';

/** One namespace that hosts can reach over TCP. */
export interface TargetExport {
  readonly nqn: string;
  readonly nsid: string;
  /** The file or block device behind it. */
  readonly devicePath: string;
  /** TCP ports that export its subsystem. */
  readonly ports: readonly number[];
}

/** Parses the section `nvmet`. A namespace that is disabled, or linked to no TCP port, is left out. */
export function parseExports({ lines }: Section): readonly TargetExport[] {
  const portFacts = new Map<string, Map<string, string>>();
  const links: (readonly [string, string])[] = [];
  const namespaces = new Map<string, { nqn: string; nsid: string; facts: Map<string, string> }>();
  for (const line of lines) {
    const [kind, a = '', b = '', c = '', ...rest] = line.split('\t');
    if (kind === 'port') portFacts.set(a, (portFacts.get(a) ?? new Map<string, string>()).set(b, c));
    if (kind === 'link') links.push([a, b]);
    if (kind === 'namespace') {
      const key = `${a}\t${b}`;
      const namespace = namespaces.get(key) ?? { nqn: a, nsid: b, facts: new Map() };
      namespace.facts.set(c, rest.join('\t'));
      namespaces.set(key, namespace);
    }
  }
  return [...namespaces.values()].flatMap(({ nqn, nsid, facts }) => {
    const ports = links
      .filter(([port, linked]) => linked === nqn && portFacts.get(port)?.get('addr_trtype') === 'tcp')
      .map(([port]) => Number(portFacts.get(port)?.get('addr_trsvcid')));
    if (facts.get('enable') !== '1' || ports.length === 0) return [];
    return [{ nqn, nsid, devicePath: facts.get('device_path') ?? '', ports }];
  });
}
