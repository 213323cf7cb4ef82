import type { Device } from '@reattach/rds-sim';
import { FenceTable } from './fence-table.ts';
import { nftJson } from './nft-json.ts';

const SOCKET_STATES = { established: 'ESTAB', 'fin-wait-1': 'FIN-WAIT-1' } as const;

type SectionLines = readonly [name: string, status: 'ok' | 'missing', lines: readonly string[]];

/**
 * Answers the requests of `deploy/linux-target/PROTOCOL.md` from a simulated data plane. It is written apart from the client
 * that it tests. The kernel lab (tooling/kernel-lab) runs the real script on a real kernel.
 */
export class LinuxTarget {
  readonly table: FenceTable;
  readonly #device: Device;
  /** How fences return after a reboot; `none`: they do not. */
  persistence: 'unit' | 'none' = 'unit';
  /** What a fence lacks; `ready`: nothing. */
  fencing = 'ready';
  #bootedWith: number;
  #boots = 1;

  constructor(device: Device) {
    this.#device = device;
    this.table = new FenceTable(device);
    this.#bootedWith = device.uptimeMs;
  }

  /** What the forced command prints for one request. */
  answer(request: string): string {
    const [verb = '', nonce = '', ...words] = request.split(' ');
    if (!/^[A-Za-z0-9]{8,64}$/.test(nonce)) return refused('-', 'invalid', `nonce '${nonce}'`);
    this.#device.changes.settle(); // idle traffic is computed when it is read
    this.#noticeReboot();
    const value = (key: string) =>
      words.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1) ?? '';
    if (verb === 'read') return reply(verb, nonce, this.#sections());
    if (verb === 'fence') {
      const record = words.filter((word) => !/^(ports|addresses)=/.test(word));
      const ports = value('ports').split(',').map(Number);
      const count = this.table.fence(value('addresses').split(','), record, ports);
      return reply(verb, nonce, this.#changed(count));
    }
    if (verb === 'unfence') return reply(verb, nonce, this.#changed(this.table.unfence(value('id'))));
    return refused(nonce, 'invalid', `request '${verb}': expected read, fence or unfence`);
  }

  #noticeReboot(): void {
    if (this.#device.uptimeMs < this.#bootedWith) {
      this.#boots += 1;
      if (this.persistence === 'unit') this.table.restore();
      else this.table.flush();
    }
    this.#bootedWith = this.#device.uptimeMs;
  }

  #changed(count: number): readonly SectionLines[] {
    return [['changed', 'ok', [`entries\t${count}`]], ...this.#fenceSections()];
  }

  #fenceSections(): readonly SectionLines[] {
    const { table } = this;
    const ports = new Set([
      ...table.ports,
      ...this.#device.volumes.filter(({ exported }) => exported).map(({ port }) => port),
    ]);
    const facts = {
      bootId: `boot-of-target-${this.#boots}`,
      uptimeSeconds: (this.#device.uptimeMs / 1_000).toFixed(2),
      clockSeconds: Math.floor(this.#device.wallClockMs / 1_000),
      kernel: '6.1.0-sim',
      ports: [...ports].join(' '),
      persistence: this.persistence,
      fencing: this.fencing,
    };
    return [
      ['facts', 'ok', Object.entries(facts).map(([key, value]) => `${key}\t${value}`)],
      table.exists ? ['table', 'ok', [nftJson(table)]] : ['table', 'missing', []],
      ['fences', 'ok', table.entries.map(({ address, words }) => `${address}\t${words.join(' ')}`)],
    ];
  }

  #sections(): readonly SectionLines[] {
    const device = this.#device;
    const exported = device.volumes.filter((volume) => volume.exported);
    const ports = [...new Set(exported.map(({ port }) => port))];
    return [
      ...this.#fenceSections(),
      [
        'sockets',
        'ok',
        device.target.sockets.flatMap((socket) => {
          const { state, flow, lastReceivedMs } = socket;
          const ago = Math.max(0, Math.round(device.clock.now() - lastReceivedMs));
          return [
            `${SOCKET_STATES[state]} 0 0 ${flow.targetAddress}:${flow.targetPort} ${flow.hostAddress}:${flow.hostPort}`,
            `\t cubic lastsnd:${ago} lastrcv:${ago} lastack:${ago}`,
          ];
        }),
      ],
      ['conntrack', 'missing', []],
      [
        'queues',
        'ok',
        Array.from(
          { length: device.target.danglingQueues },
          (_, index) => `/proc/${index + 1}/stack:[<0>] nvmet_sq_destroy+0x39/0x110 [nvmet]`,
        ),
      ],
      ['addresses', 'ok', ['127.0.0.1', device.address]],
      [
        'nvmet',
        'ok',
        [
          ...ports.flatMap((port, index) => [
            `port\t${index + 1}\taddr_trtype\ttcp`,
            `port\t${index + 1}\taddr_trsvcid\t${port}`,
            ...exported
              .filter((volume) => volume.port === port)
              .map(({ nqn }) => `link\t${index + 1}\t${nqn}`),
          ]),
          ...device.volumes.flatMap(({ nqn, slot }) => [
            `subsystem\t${nqn}`,
            `namespace\t${nqn}\t1\tdevice_path\t/dev/zvol/tank/${slot}`,
            `namespace\t${nqn}\t1\tenable\t1`,
          ]),
        ],
      ],
      [
        'devices',
        'ok',
        device.volumes.map(
          ({ slot, writeOps, writeBytes, inFlightOps }, index) =>
            `/dev/zvol/tank/${slot}\t253:${index}\t0 0 0 0 ${writeOps} 0 ${writeBytes / 512} 0 ${inFlightOps} 0 0\t0 ${inFlightOps}`,
        ),
      ],
      ['finish', 'ok', [`uptimeSeconds\t${(device.uptimeMs / 1_000).toFixed(2)}`]],
    ];
  }
}

function reply(verb: string, nonce: string, sections: readonly SectionLines[]): string {
  const body = sections.flatMap(([name, status, lines]) => [`@${name} ${status} ${lines.length}`, ...lines]);
  const text = body.map((line) => `${line}\n`).join('');
  return `reattach-target 1 ${verb} ${nonce} ${body.length} ${Buffer.byteLength(text)}\n${text}end ${nonce}\n`;
}

function refused(nonce: string, code: string, why: string): string {
  return `reattach-target 1 error ${nonce} ${code}\n${why}\nend ${nonce}\n`;
}
