import { FakeClock } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { RdsSim } from './index.ts';
import { SshClient } from './ssh-client.test-support.ts';

const READ = ':put ("x=" . [:serialize to=json value=({"k"="abcdefgh"})]); :put END';
const WHOLE = 'x={"k":"abcdefgh"}\r\nEND\r\n';

const add = (n: number) => `/ip/firewall/address-list/add list=l address=10.0.0.${n}`;

async function start(): Promise<{ sim: RdsSim; client: SshClient; clock: FakeClock }> {
  const clock = new FakeClock();
  const sim = await RdsSim.start({ clock });
  return { sim, client: await SshClient.connect(sim), clock };
}

describe('Faults', () => {
  it('applies as often as asked, then never again', async () => {
    const { sim, client } = await start();
    await using _sim = sim;
    const rule = sim.faults.onCommand('END', { kind: 'replace', output: 'no\r\n' }, 2);
    expect((await client.exec(':put other')).output).toBe('other\r\n');
    expect((await client.exec(READ)).output).toBe('no\r\n');
    expect((await client.exec(READ)).output).toBe('no\r\n');
    expect((await client.exec(READ)).output).toBe(WHOLE);
    expect(rule.hits).toBe(2);
  });

  it('strikes until it is disposed', async () => {
    const { sim, client } = await start();
    await using _sim = sim;
    {
      using _rule = sim.faults.onCommand(/./, { kind: 'replace', output: '' }, Infinity);
      for (let i = 0; i < 3; i++) expect((await client.exec(READ)).output).toBe('');
    }
    expect((await client.exec(READ)).output).toBe(WHOLE);
  });

  it.each([
    ['truncate', { kind: 'truncate' }, 'x={"k":"ab\r\nEND\r\n', 0],
    ['log-line', { kind: 'log-line', text: 'LOG' }, 'x={"k":"abcdefgh"}\r\nLOG\r\nEND\r\n', 0],
    ['exit-status', { kind: 'exit-status', status: 3 }, WHOLE, 3],
    ['no exit status', { kind: 'exit-status', status: 'none' }, WHOLE, undefined],
    ['close-channel', { kind: 'close-channel', afterBytes: 4 }, 'x={"', undefined],
    ['cut', { kind: 'cut', afterBytes: 4 }, 'x={"', undefined],
  ] as const)('%s -> spoils the reply', async (_name, fault, output, status) => {
    const { sim, client } = await start();
    await using _sim = sim;
    sim.faults.onCommand('END', fault);
    expect(await client.exec(READ)).toEqual({ output, errorOutput: '', status });
  });

  it('garbage -> bytes that are not text come first', async () => {
    const { sim, client } = await start();
    await using _sim = sim;
    sim.faults.onCommand('END', { kind: 'garbage' });
    const { output } = await client.exec(READ);
    expect(output.endsWith(WHOLE)).toBe(true);
    expect(output).toContain('\u0000\ufffd');
  });

  it('cut -> resets that connection and no other', async () => {
    const { sim, client } = await start();
    await using _sim = sim;
    await using other = await SshClient.connect(sim);
    sim.faults.onCommand('END', { kind: 'cut', afterBytes: 0 });
    await client.exec(READ);
    await client.closed;
    expect((await other.exec(READ)).output).toBe(WHOLE);
  });

  it('hang -> before the command nothing happens, after it everything but the reply', async () => {
    const { sim, client } = await start();
    await using _sim = sim;
    sim.faults.onCommand('10.0.0.1', { kind: 'hang' });
    sim.faults.onCommand('10.0.0.2', { kind: 'hang', applied: true });
    const hung = [client.exec(add(1)), client.exec(add(2))];
    await client.exec(READ); // both were received before it
    expect(sim.device.addressList.entries.map(({ address }) => address)).toEqual(['10.0.0.2']);
    sim.faults.dropConnections();
    expect((await Promise.all(hung)).map(({ status }) => status)).toEqual([undefined, undefined]);
  });

  it('slow -> the reply comes later by the clock', async () => {
    const { sim, client, clock } = await start();
    await using _sim = sim;
    sim.faults.onCommand('END', { kind: 'slow', delayMs: 30_000 });
    const received = sim.commands.next('END');
    const reply = client.exec(READ);
    await received;
    await clock.advance(30_000);
    expect((await reply).output).toBe(WHOLE);
    sim.faults.onCommand('END', { kind: 'slow', delayMs: 1, by: 'real' });
    expect((await client.exec(READ)).output).toBe(WHOLE);
  });

  it('down -> connections are reset and refused until up, on the same port', async () => {
    const { sim, client } = await start();
    await using _sim = sim;
    const { port } = sim;
    await sim.faults.down();
    await client.closed;
    await expect(SshClient.connect(sim)).rejects.toThrow(/ECONNREFUSED/);
    await sim.faults.up();
    expect(sim.port).toBe(port);
    await using again = await SshClient.connect(sim);
    expect((await again.exec(READ)).output).toBe(WHOLE);
  });

  it('auth -> refuses the right key', async () => {
    const { sim } = await start();
    await using _sim = sim;
    using rule = sim.faults.onConnection({ kind: 'auth' });
    await expect(SshClient.connect(sim)).rejects.toThrow(/authentication methods failed/);
    expect(rule.hits).toBe(1);
    await using _client = await SshClient.connect(sim);
  });

  it('reset, session-limit and channel -> no command gets through', async () => {
    const { sim, client } = await start();
    await using _sim = sim;
    sim.faults.onConnection({ kind: 'reset' });
    await expect(SshClient.connect(sim)).rejects.toThrow(/ECONNRESET|closed|lost/);
    sim.faults.onConnection({ kind: 'session-limit' });
    const limited = await SshClient.connect(sim);
    await limited.closed;
    sim.faults.onConnection({ kind: 'channel' });
    await expect(client.exec(READ)).rejects.toThrow(/open failure/);
    expect((await client.exec(READ)).output).toBe(WHOLE);
  });

  it('silent -> the connection is accepted and nothing is said', async () => {
    const { sim } = await start();
    await using _sim = sim;
    using rule = sim.faults.onConnection({ kind: 'silent' });
    const attempt = SshClient.connect(sim);
    await expect.poll(() => rule.hits).toBe(1);
    sim.faults.dropConnections();
    await expect(attempt).rejects.toThrow(/ECONNRESET|closed|lost/);
  });

  it('reboot -> resets SSH, loses what lives in memory, and answers again after its down time', async () => {
    const { sim, client, clock } = await start();
    await using _sim = sim;
    sim.device.addressList.add({ list: 'l', address: '10.0.0.1' });
    sim.device.addressList.add({ list: 'l', address: '10.0.0.2', timeoutMs: 86_400_000 });
    await clock.advance(5_000);
    await sim.faults.reboot(90_000);
    await client.closed;
    await expect(SshClient.connect(sim)).rejects.toThrow(/ECONNREFUSED/);
    await clock.advance(90_000);
    await using again = await SshClient.connect(sim);
    expect((await again.exec(':put [/system/resource get uptime]')).output).toBe('0s\r\n');
    expect((await again.exec('/ip/firewall/address-list/print count-only')).output).toBe('1\r\n');
  });

  it('a reboot during another one is the one that counts', async () => {
    const { sim, clock } = await start();
    await using _sim = sim;
    await sim.faults.reboot(90_000);
    await sim.faults.reboot();
    await using client = await SshClient.connect(sim);
    expect((await client.exec(READ)).output).toBe(WHOLE);
    await clock.advance(90_000);
    expect((await client.exec(READ)).output).toBe(WHOLE);
    expect(sim.device.up).toBe(true);
  });

  it('freeze -> nothing is answered and nothing is closed, until disposed', async () => {
    const { sim, client } = await start();
    await using _sim = sim;
    const frozen = sim.faults.freeze();
    const reply = client.exec(READ);
    const other = await start(); // many round trips on the same loop: the frozen one has had its time
    expect((await other.client.exec(READ)).output).toBe(WHOLE);
    await other.sim[Symbol.asyncDispose]();
    expect({ open: sim.openSessions, received: sim.commands.total }).toEqual({ open: 1, received: 0 });
    frozen[Symbol.dispose]();
    expect((await reply).output).toBe(WHOLE);
  });

  it('jumpClock -> timestamps move, uptime and timeouts do not', async () => {
    const { sim, clock } = await start();
    await using _sim = sim;
    await clock.advance(60_000);
    sim.faults.jumpClock(-86_400_000);
    sim.run('/ip/firewall/address-list/add list=l address=10.0.0.1 timeout=1m');
    expect(sim.run(':put ([/ip/firewall/address-list print as-value]->0->"creation-time")')).toBe(
      '2025-12-31 00:01:00\r\n',
    );
    expect(sim.run(':put [/system/resource get uptime]')).toBe('1m\r\n');
    await clock.advance(60_000);
    expect(sim.run('/ip/firewall/address-list/print count-only')).toBe('0\r\n');
  });

  it('schedule -> faults strike by the clock, once or again and again', async () => {
    const { sim, clock } = await start();
    await using _sim = sim;
    const struck: string[] = [];
    const schedule = sim.faults.schedule([
      { afterMs: 1_000, strike: () => struck.push('once') },
      { afterMs: 2_000, everyMs: 500, strike: () => struck.push('again') },
      { afterMs: 2_000, strike: (faults) => faults.jumpClock(1) },
    ]);
    await clock.advance(3_000);
    expect(struck).toEqual(['once', 'again', 'again', 'again']);
    expect(sim.device.clockOffsetMs).toBe(1);
    schedule[Symbol.dispose]();
    await clock.advance(3_000);
    expect(struck).toHaveLength(4);
    expect(clock.pendingTimers).toBe(0);
  });
});
