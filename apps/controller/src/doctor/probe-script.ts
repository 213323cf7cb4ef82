/** Commands whose answers nobody has published. They change nothing at the backend. @see docs/routeros.md, last section */
export const PROBES: readonly string[] = [
  ':put [/system/resource get version]',
  '/disk print detail where slot~"pvc-"',
  '/disk print detail where slot="no-such"',
  ':put [:serialize to=json options=json.no-string-conversion value=[/disk print detail as-value where nvme-tcp-export=yes]]; :put "END-1"',
  ':put [:serialize to=json value=[/disk print as-value where slot="no-such"]]',
  '/disk get no-such slot; :put "END-1"',
  '/ip/firewall/connection/tracking print',
  '/ip/firewall/connection print terse where dst-port=4420',
  ':put [:serialize to=json options=json.no-string-conversion value=[/disk print stats-detail as-value where nvme-tcp-export=yes]]',
  '/ip/service print where dynamic',
];

/** A shell script that runs them at each backend with the `ssh` of whoever has the key, and shows each answer byte for byte. */
export function probeScript(
  backends: readonly { readonly host: string; readonly port: number; readonly user: string }[],
): string {
  const runs = backends.flatMap(({ host, port, user }) => {
    const login = `ssh -T -p ${port} ${quote(`${user}@${host}`)}`;
    return PROBES.map(
      (probe) => `echo ${quote(`== ${host}: ${probe}`)}\n${login} ${quote(probe)} 2>&1 | od -c | head -60`,
    );
  });
  const head =
    '# reattach doctor --probe: run it, and send us what it prints. Look through it first: it names your volumes.';
  return ['#!/bin/sh', head, ...runs, ''].join('\n');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
