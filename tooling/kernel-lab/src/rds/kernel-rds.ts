import { type Device, type Mirror, RdsSim } from '@reattach/rds-sim';
import type { LabMachines } from '../world/lab-machines.ts';
import { parseConntrackRow } from './conntrack-row.ts';

const FENCE_LIST = 'reattach-fenced';
const EXPORT_PORT = 4420;

/** What an RDS has from the start: tracking with RouterOS' time-outs, a fence list and its drop rule. */
const PREPARE = `
cd /proc/sys/net/netfilter
echo 1 >nf_conntrack_acct
echo 86400 >nf_conntrack_tcp_timeout_established
for state in fin_wait close_wait last_ack time_wait close; do echo 10 >nf_conntrack_tcp_timeout_$state; done
for state in syn_sent syn_recv; do echo 5 >nf_conntrack_tcp_timeout_$state; done
nft -f - <<'RULES'
table ip rds {
  set fenced { type ipv4_addr; }
  chain prerouting { type filter hook prerouting priority raw; ip saddr @fenced tcp dport ${EXPORT_PORT} counter drop; }
  chain tracking { type filter hook prerouting priority filter; ct state established counter; }
  chain output { type filter hook output priority filter; ct state established counter; }
}
RULES
`;

const READ = `grep -E '[ds]port=${EXPORT_PORT} ' /proc/net/nf_conntrack; echo; cat /sys/block/dm-*/stat`;

/**
 * A RouterOS device whose connection tracking, counters and fence are those of the lab's target: the simulator answers the
 * commands, the kernel supplies the rows.
 */
export async function startKernelRds(machines: LabMachines): Promise<RdsSim> {
  const { target, volumes } = machines;
  await target.shell.run(PREPARE);
  let fenced = '';
  const mirror: Mirror = {
    async pull(device) {
      // `grep` fails when there is no connection.
      const { stdout } = await target.shell.tryRun(READ);
      const [rows = '', stats = ''] = stdout.split(/^$/m);
      const nowMs = Date.now();
      const lines = rows.split('\n').filter(Boolean);
      device.connections.replace(lines.map((line) => parseConntrackRow(line, EXPORT_PORT, nowMs)));
      for (const [index, line] of stats.trim().split('\n').entries())
        mirrorCounters(device, volumes[index]?.name, line);
    },
    async push(device) {
      const addresses = device.addressList.entries
        .filter(({ list, disabled }) => list === FENCE_LIST && !disabled)
        .map(({ address }) => address)
        .join(', ');
      if (addresses === fenced) return;
      const elements = addresses === '' ? '' : `; add element ip rds fenced { ${addresses} }`;
      await target.shell.run(`nft 'flush set ip rds fenced${elements}'`);
      fenced = addresses;
    },
  };
  const rds = await RdsSim.start({ address: target.address, tracking: { enabled: 'yes' }, mirror });
  rds.device.addDropRule();
  for (const { name, nqn } of volumes) rds.device.addVolume({ slot: name, nqn, sizeBytes: 64 * 2 ** 20 });
  return rds;
}

/** Fields of `/sys/block/X/stat`: the fifth is writes completed, the seventh sectors written, the ninth I/O in progress. */
function mirrorCounters(device: Device, slot: string | undefined, stat: string): void {
  const volume = slot === undefined ? undefined : device.volume(slot);
  if (!volume) return;
  const fields = stat.trim().split(/\s+/).map(Number);
  const [writeOps = 0, , sectors = 0, , inFlightOps = 0] = fields.slice(4);
  volume.mirrored = { writeOps, writeBytes: sectors * 512, inFlightOps };
}
