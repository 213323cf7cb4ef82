/** Commands whose answers are not documented anywhere. They change nothing at the backend. @see docs/routeros.md, last section */
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
