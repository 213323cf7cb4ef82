import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseReply } from '../../src/target/parse-reply.ts';
import { FakeTarget } from '../support/fake-target.ts';

const NONCE = '0123456789abcdef';
const RECORD = 'id=deadbeef node=node-a uid=11-22 boot=33-44 at=1800000000000';
const FENCE = `fence ${NONCE} ports=4420 addresses=10.9.0.21,fd00::21 ${RECORD}`;
const shells = ['/bin/sh', '/bin/bash'].filter((shell) => existsSync(shell));

describe.skipIf(process.platform !== 'linux').each(shells)(
  'reattach-target in %s',
  { timeout: 120_000 },
  (shell) => {
    it('reports the boot, the sockets of every known port, exports, counters and addresses', () => {
      using target = new FakeTarget(shell);
      target.file('sys/kernel/config/nvmet/ports/1/addr_trtype', 'tcp\n');
      target.file('sys/kernel/config/nvmet/ports/1/addr_trsvcid', '4421\n');
      target.file(
        'sys/kernel/config/nvmet/subsystems/nqn.2014-08.org:v=1/namespaces/1/device_path',
        '/dev/null\n',
      );
      target.file('sys/kernel/config/nvmet/subsystems/nqn.2014-08.org:v=1/namespaces/1/enable', '1\n');
      target.file('ss.out', 'ESTAB 0 0 10.9.0.10:4420 10.9.0.21:40000\n\t cubic lastrcv:900\n');
      const reply = parseReply(target.run(`read ${NONCE} ports=4420`).stdout, 'read', NONCE);
      expect([...reply.keys()]).toEqual([
        'facts',
        'table',
        'fences',
        'sockets',
        'queues',
        'conntrack',
        'addresses',
        'nvmet',
        'devices',
        'finish',
      ]);
      expect(reply.get('facts')?.lines).toEqual([
        'bootId\t0c7f5b6e-7b4c-4c0e-9d53-3c3f2f1d0a11',
        'uptimeSeconds\t1234.56',
        expect.stringMatching(/^clockSeconds\t\d{10}$/),
        'kernel\t6.1.0-test',
        'ports\t4420 4421',
        'persistence\tnone',
        'fencing\tready',
      ]);
      expect(target.read('ss.log')).toBe('-Htin ( sport = :4420 or sport = :4421 )\n');
      expect(reply.get('sockets')).toEqual({
        status: 'ok',
        lines: ['ESTAB 0 0 10.9.0.10:4420 10.9.0.21:40000', '\t cubic lastrcv:900'],
      });
      expect(reply.get('table')?.status).toBe('missing');
      expect(reply.get('addresses')?.lines).toEqual(['10.9.0.10']);
      expect(reply.get('nvmet')?.lines.toSorted()).toEqual([
        'namespace\tnqn.2014-08.org:v=1\t1\tdevice_path\t/dev/null',
        'namespace\tnqn.2014-08.org:v=1\t1\tenable\t1',
        'port\t1\taddr_trsvcid\t4421',
        'port\t1\taddr_trtype\ttcp',
        'subsystem\tnqn.2014-08.org:v=1',
      ]);
    });

    it('loads a checked table with every recorded address, and keeps record and table on disk', () => {
      using target = new FakeTarget(shell);
      const reply = parseReply(target.run(FENCE).stdout, 'fence', NONCE);
      expect(reply.get('changed')?.lines).toEqual(['entries\t2']);
      expect(reply.get('fences')?.lines).toEqual([`10.9.0.21\t${RECORD}`, `fd00::21\t${RECORD}`]);
      const [, check, load] = target.read('nft.log')?.split(/^# nft (?:-c )?-f \S+$/m) ?? [];
      expect(check).toBe(load);
      expect(load?.trim()).toBe(target.read('etc/reattach/fences.nft')?.trim());
      expect(load?.trim().split('\n').slice(-3)).toEqual([
        'add element inet reattach ports { 4420 }',
        'add element inet reattach fenced4 { 10.9.0.21 }',
        'add element inet reattach fenced6 { fd00::21 }',
      ]);
    });

    it('restores all fences with the next one, keeps the first record of an entry, and never forgets a port', () => {
      using target = new FakeTarget(shell);
      target.run(FENCE);
      target.file('nft.log', '');
      const again = `fence ${NONCE} ports=4421 addresses=10.9.0.21,10.9.0.22 id=deadbeef node=other`;
      const reply = parseReply(target.run(again).stdout, 'fence', NONCE);
      expect(reply.get('changed')?.lines).toEqual(['entries\t1']);
      expect(reply.get('fences')?.lines[0]).toBe(`10.9.0.21\t${RECORD}`);
      expect(target.read('nft.log')).toContain('add element inet reattach ports { 4421, 4420 }');
      expect(target.read('nft.log')).toContain('add element inet reattach fenced4 { 10.9.0.21 }');
      expect(target.read('nft.log')).toContain('add element inet reattach fenced4 { 10.9.0.22 }');
      expect(target.read('nft.log')).toContain('add element inet reattach fenced6 { fd00::21 }');
    });

    it('removes one fence and keeps an address that another fence lists', () => {
      using target = new FakeTarget(shell);
      target.run(FENCE);
      target.run(`fence ${NONCE} ports=4420 addresses=10.9.0.21 id=deadbeef-2 node=node-b`);
      target.file('nft.log', '');
      const reply = parseReply(target.run(`unfence ${NONCE} id=deadbeef`).stdout, 'unfence', NONCE);
      expect(reply.get('changed')?.lines).toEqual(['entries\t2']);
      expect(reply.get('fences')?.lines).toEqual(['10.9.0.21\tid=deadbeef-2 node=node-b']);
      const lines = target.read('nft.log')?.trim().split('\n') ?? [];
      const removal = lines.indexOf('delete element inet reattach fenced4 { 10.9.0.21 }');
      expect(removal).toBeGreaterThan(0);
      expect(lines.indexOf('add element inet reattach fenced4 { 10.9.0.21 }', removal)).toBeGreaterThan(
        removal,
      );
      expect(lines).toContain('delete element inet reattach fenced6 { fd00::21 }');
      expect(target.read('etc/reattach/fences.nft')).not.toContain('fd00::21');
    });

    it('changes nothing when the id is unknown', () => {
      using target = new FakeTarget(shell);
      const reply = parseReply(target.run(`unfence ${NONCE} id=deadbeef`).stdout, 'unfence', NONCE);
      expect(reply.get('changed')?.lines).toEqual(['entries\t0']);
      expect(target.read('nft.log')).toBeUndefined();
    });

    it('keeps no record of a fence that nft refuses', () => {
      using target = new FakeTarget(shell);
      target.file('nft.fails', '');
      const { code, stdout } = target.run(FENCE);
      expect(stdout).toBe(`reattach-target 1 error ${NONCE} failed\nnft: refused\nend ${NONCE}\n`);
      expect(code).toBe(4);
      expect(target.read('etc/reattach/fences') ?? '').toBe('');
    });

    it.each([
      ['', 'expected: read, fence or unfence'],
      ['shell', 'expected: read, fence or unfence'],
      [`cat ${NONCE} /etc/shadow`, "'cat'"],
      ['read short', 'nonce has 8 to 64'],
      [`read ${NONCE}; id`, 'not allowed'],
      [`read ${NONCE}\nid`, 'not allowed'],
      [`read ${NONCE} $(id)`, 'not allowed'],
      [`read ${NONCE} *`, 'not allowed'],
      [`read ${NONCE} ports=0`, "port '0'"],
      [`read ${NONCE} ports=65536`, "port '65536'"],
      [`read ${NONCE} ports=04420`, "port '04420'"],
      [`read ${NONCE} id=deadbeef`, "'id' is not a field of read"],
      [`fence ${NONCE} ports=4420 id=deadbeef`, 'needs ports, addresses and id'],
      [`fence ${NONCE} ports=4420 addresses=10.9.0.10 id=deadbeef`, 'belongs to this target'],
      [`fence ${NONCE} ports=4420 addresses=10.9.0.256 id=deadbeef`, "address '10.9.0.256'"],
      [`fence ${NONCE} ports=4420 addresses=10.9.0.21/24 id=deadbeef`, "address '10.9.0.21/24'"],
      [`fence ${NONCE} ports=4420 addresses=0.0.0.0 id=deadbeef`, "address '0.0.0.0'"],
      [`fence ${NONCE} ports=4420 addresses=127.0.0.1 id=deadbeef`, "address '127.0.0.1'"],
      [`fence ${NONCE} ports=4420 addresses=224.0.0.1 id=deadbeef`, "address '224.0.0.1'"],
      [`fence ${NONCE} ports=4420 addresses=::1 id=deadbeef`, "address '::1'"],
      [`fence ${NONCE} ports=4420 addresses=fd00::1::2 id=deadbeef`, "address 'fd00::1::2'"],
      [`fence ${NONCE} ports=4420 addresses=fd00:1:2 id=deadbeef`, "address 'fd00:1:2'"],
      [`fence ${NONCE} ports=4420 addresses=fd00::12345 id=deadbeef`, "address 'fd00::12345'"],
      [`fence ${NONCE} ports=4420 addresses=FD00::1 id=deadbeef`, "address 'FD00::1'"],
      [`fence ${NONCE} ports=4420 addresses=node-a id=deadbeef`, "address 'node-a'"],
      [`fence ${NONCE} ports=4420 addresses=10.9.0.21 id=DEADBEEF`, "id 'DEADBEEF'"],
      [`fence ${NONCE} ports=4420 addresses=10.9.0.21 id=deadbeef id=deadbeee`, "'id' is given twice"],
      [`fence ${NONCE} ports=4420 addresses=10.9.0.21 id=deadbeef node=${'x'.repeat(1100)}`, 'at most 1024'],
      [`read ${NONCE} ${'x'.repeat(5000)}`, 'at most 4096'],
      [`unfence ${NONCE}`, 'unfence needs id'],
      [`unfence ${NONCE} id=.*......`, 'not allowed'],
      [`unfence ${NONCE} id=........`, "id '........'"],
    ])('refuses %j and changes nothing', (request, why) => {
      using target = new FakeTarget(shell);
      const { code, stdout, stderr } = target.run(request);
      const [head, message, end, ...rest] = stdout.split('\n');
      expect(head).toMatch(/^reattach-target 1 error \S+ invalid$/);
      expect(message).toContain(why);
      expect([end?.split(' ')[0], rest]).toEqual(['end', ['']]);
      expect([code, stderr]).toEqual([2, '']);
      expect(target.read('nft.log')).toBeUndefined();
      expect(target.read('etc/reattach/fences')).toBeUndefined();
    });

    it.each(['10.9.0.1', 'fd00::', '2001:db8:1:2:3:4:5:6', 'fe80::1', '::ffff:1'])(
      'accepts the address %s',
      (address) => {
        using target = new FakeTarget(shell);
        expect(target.run(`fence ${NONCE} ports=4420 addresses=${address} id=deadbeef`).code).toBe(0);
      },
    );

    it('takes nothing else from the environment', () => {
      using target = new FakeTarget(shell);
      const hostile = {
        root: '/evil',
        state: '/evil',
        PATH: '/evil',
        IFS: '0',
        ENV: '/evil',
        limit: '1',
        reply: 'x',
        self: '/evil',
      };
      const { code, stdout } = target.run(`read ${NONCE} ports=4420`, hostile);
      expect(code).toBe(0);
      expect(parseReply(stdout, 'read', NONCE).get('facts')?.lines).toContain('uptimeSeconds\t1234.56');
    });

    it('takes the request from its arguments, one word or several', () => {
      using target = new FakeTarget(shell);
      expect(parseReply(target.runArguments('read', NONCE), 'read', NONCE).size).toBe(10);
      expect(parseReply(target.runArguments(`read ${NONCE}`), 'read', NONCE).size).toBe(10);
    });

    it('runs itself through sudo for another user, and says so when the sudo rule is missing', () => {
      using target = new FakeTarget(shell);
      target.user(1000);
      target.command('sudo', `printf '%s|' "$@"`);
      expect(target.run(`read ${NONCE}`).stdout).toBe(`-n|/usr/local/sbin/reattach-target|read ${NONCE}|`);
      target.command('sudo', 'echo "sudo: a password is required" >&2; exit 1');
      expect(target.run(`read ${NONCE}`).stdout).toContain('error - no-sudo');
    });

    it('answers with the count instead of a reply of more than 8 MiB', () => {
      using target = new FakeTarget(shell);
      target.command('ss', 'yes "ESTAB 0 0 10.9.0.10:4420 10.9.0.21:40000"');
      const { code, stdout } = target.run(`read ${NONCE} ports=4420`);
      expect(code).toBe(5);
      expect(stdout).toMatch(
        new RegExp(
          `^reattach-target 1 error ${NONCE} too-large\\n\\d{7,8} bytes or more, the limit is 8388608\\nend ${NONCE}\\n$`,
        ),
      );
    });

    it('reports threads that wait for the commands of a closed queue, and says where stacks cannot be read', () => {
      using target = new FakeTarget(shell);
      const queues = () => parseReply(target.run(`read ${NONCE}`).stdout, 'read', NONCE).get('queues');
      expect(queues()).toEqual({ status: 'missing', lines: [] });
      target.file('proc/2/stack', '[<0>] kthreadd+0x1b4/0x1f0\n');
      expect(queues()).toEqual({ status: 'ok', lines: [] });
      target.file(
        'proc/7/stack',
        '[<0>] nvmet_sq_destroy+0x4f/0x140 [nvmet]\n[<0>] worker_thread+0x4d/0x380\n',
      );
      expect(queues()?.lines).toEqual([expect.stringContaining('nvmet_sq_destroy+0x4f')]);
    });

    it('reads connection tracking only where ss is missing, and then makes sure that tracking runs', () => {
      using target = new FakeTarget(shell);
      const row =
        'ipv4 2 tcp 6 86390 ESTABLISHED src=10.9.0.21 dst=10.9.0.10 sport=40000 dport=4420 [ASSURED]';
      target.file('proc/net/nf_conntrack', `${row}\n${row.replace('4420', '22')}\n`);
      expect(
        parseReply(target.run(`read ${NONCE} ports=4420`).stdout, 'read', NONCE).get('conntrack')?.status,
      ).toBe('missing');
      target.withoutCommand('ss');
      const reply = parseReply(target.run(`read ${NONCE} ports=4420`).stdout, 'read', NONCE);
      expect(reply.get('sockets')?.status).toBe('missing');
      expect(reply.get('conntrack')).toEqual({ status: 'ok', lines: [row] });
      target.run(FENCE);
      expect(target.read('etc/reattach/fences.nft')).toContain('tracking ct state established counter');
    });
  },
);
