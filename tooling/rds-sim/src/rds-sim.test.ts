import { FakeClock } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { generateKeyPair, RdsSim } from './index.ts';
import { SshClient } from './ssh-client.test-support.ts';

describe('RdsSim', () => {
  it('answers a command over SSH with CRLF lines and status 0', async () => {
    await using sim = await RdsSim.start({ clock: new FakeClock() });
    await using client = await SshClient.connect(sim);
    expect(await client.exec(':put [/system/resource get version]; :put "END-1"')).toEqual({
      output: '7.24.2 (stable)\r\nEND-1\r\n',
      errorOutput: '',
      status: 0,
    });
    expect(sim.commands.entries.map(({ user, text }) => ({ user, text }))).toEqual([
      { user: 'reattach', text: ':put [/system/resource get version]; :put "END-1"' },
    ]);
  });

  it('shows the host key of its options', async () => {
    const { privateKey, publicKey } = generateKeyPair();
    await using sim = await RdsSim.start({ clock: new FakeClock(), hostKey: privateKey });
    expect(publicKey).toContain(sim.hostKey);
    expect(sim.hostKeyFingerprint).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/);
  });

  it('lets in only the keys of its users', async () => {
    const [own, other] = [generateKeyPair(), generateKeyPair()];
    const users = [{ name: 'ops', publicKeys: [own.publicKey] }];
    await using sim = await RdsSim.start({ clock: new FakeClock(), users });
    await using client = await SshClient.connect(sim, { username: 'ops', privateKey: own.privateKey });
    expect((await client.exec(':put a')).output).toBe('a\r\n');
    const wrong = SshClient.connect(sim, { username: 'ops', privateKey: other.privateKey });
    await expect(wrong).rejects.toThrow(/authentication methods failed/);
    const unknown = SshClient.connect(sim, { username: 'root', privateKey: own.privateKey });
    await expect(unknown).rejects.toThrow(/authentication methods failed/);
  });

  it('takes console options behind the user name', async () => {
    await using sim = await RdsSim.start({ clock: new FakeClock() });
    sim.device.addVolume({ slot: 'pvc-1', nqn: 'nqn.2000-02.com.mikrotik:pvc-1', sizeBytes: 1024 ** 3 });
    const { privateKey } = sim.credentials;
    await using client = await SshClient.connect(sim, { username: 'reattach+ct512w', privateKey });
    const { output } = await client.exec('/disk/print detail where slot="pvc-1"');
    expect(output.split('\r\n').some((line) => line.length > 300)).toBe(true);
  });

  it('refuses writes of a user who may only read', async () => {
    const { privateKey, publicKey } = generateKeyPair();
    const users = [{ name: 'viewer', publicKeys: [publicKey], readOnly: true }];
    await using sim = await RdsSim.start({ clock: new FakeClock(), users });
    await using client = await SshClient.connect(sim, { username: 'viewer', privateKey });
    const { output } = await client.exec('/ip/firewall/address-list/add list=a address=10.0.0.1; :put END');
    expect(output).toBe('not enough permissions (9)\r\n');
    expect(sim.device.addressList.entries).toEqual([]);
  });

  it('leaves the channel open when a bracket is not closed', async () => {
    await using sim = await RdsSim.start({ clock: new FakeClock() });
    const client = await SshClient.connect(sim);
    const received = sim.commands.next('find');
    const open = client.exec('/disk/remove [find slot=a');
    await received;
    sim.faults.dropConnections();
    expect((await open).status).toBeUndefined();
  });

  it('takes its time by the clock', async () => {
    const clock = new FakeClock();
    await using sim = await RdsSim.start({ clock, latencyMs: 400 });
    await using client = await SshClient.connect(sim);
    const received = sim.commands.next();
    const reply = client.exec(':put late');
    await received;
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(400);
    expect((await reply).output).toBe('late\r\n');
  });

  it('ends with the option errorExitStatus after an error, and prints it on stdout', async () => {
    await using sim = await RdsSim.start({ clock: new FakeClock(), errorExitStatus: 1 });
    await using client = await SshClient.connect(sim);
    expect(await client.exec('/disk get no-such slot; :put END')).toEqual({
      output: 'no such item\r\n',
      errorOutput: '',
      status: 1,
    });
    expect((await client.exec(':put a')).status).toBe(0);
  });

  it('closes a connection more than maxSessions allows', async () => {
    await using sim = await RdsSim.start({ clock: new FakeClock(), maxSessions: 1 });
    await using _first = await SshClient.connect(sim);
    const second = await SshClient.connect(sim);
    await second.closed;
    expect(sim.openSessions).toBe(1);
  });

  it('leaves no timer and no connection behind', async () => {
    const clock = new FakeClock();
    const sim = await RdsSim.start({ clock });
    sim.device.addVolume({ slot: 'a', nqn: 'nqn.a', sizeBytes: 1 });
    sim.device.addHost({ name: 'node-a', addresses: ['10.0.5.1'] }).connect('a');
    const client = await SshClient.connect(sim);
    await sim[Symbol.asyncDispose]();
    await client.closed;
    expect(clock.pendingTimers).toBe(0);
    await sim[Symbol.asyncDispose]();
  });
});
