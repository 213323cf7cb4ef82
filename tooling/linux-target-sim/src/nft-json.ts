import type { FenceTable } from './fence-table.ts';

/** What `nft -j list table inet reattach` prints. */
export function nftJson(table: FenceTable): string {
  const at = { family: 'inet', table: 'reattach' };
  const set = (name: string, type: string, elem: readonly (string | number)[]) => ({
    set: { ...at, name, type, handle: 1, ...(elem.length > 0 && { elem }) },
  });
  const rule = (protocol: string, name: string) => ({
    rule: {
      ...at,
      chain: 'prerouting',
      handle: 2,
      expr: [
        ...table.narrowedBy,
        { match: { op: '==', left: { payload: { protocol, field: 'saddr' } }, right: `@${name}` } },
        { match: { op: '==', left: { payload: { protocol: 'tcp', field: 'dport' } }, right: '@ports' } },
        { counter: { packets: 0, bytes: 0 } },
        { drop: null },
      ],
    },
  });
  const fenced = table.enforced;
  return JSON.stringify({
    nftables: [
      { metainfo: { version: '1.0.6', json_schema_version: 1 } },
      { table: { family: 'inet', name: 'reattach', handle: 1 } },
      set('ports', 'inet_service', [...table.ports]),
      set(
        'fenced4',
        'ipv4_addr',
        fenced.filter((address) => !address.includes(':')),
      ),
      set(
        'fenced6',
        'ipv6_addr',
        fenced.filter((address) => address.includes(':')),
      ),
      {
        chain: {
          ...at,
          name: 'prerouting',
          handle: 1,
          type: 'filter',
          hook: 'prerouting',
          prio: -300,
          policy: 'accept',
        },
      },
      rule('ip', 'fenced4'),
      rule('ip6', 'fenced6'),
    ],
  });
}
