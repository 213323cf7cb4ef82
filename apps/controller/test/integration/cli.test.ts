import { until } from '@reattach/sim-world';
import type { StateReport } from '@reattach/status-page';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { cli } from './support/cli-run.ts';
import { WorldController } from './support/world-controller.ts';

/** One dead node that mode observe holds, and two that are well. */
describe('reattach', { timeout: 60_000 }, () => {
  let controller: WorldController;
  let victim: string;
  let volume: string;
  let claim: string;
  let server: string;

  beforeAll(async () => {
    controller = await WorldController.start(['--mode=observe']);
    server = `--server=${controller.url}`;
    const { world } = controller;
    const node = world.nodes.find(({ name }) => world.attachedTo(name).length === 1);
    if (!node) throw new Error('nothing is attached');
    victim = node.name;
    [volume = ''] = world.attachedTo(victim);
    claim = `default/data-db-${Number(volume.slice(-1))}`;
    world.powerOff(victim);
    await until('the dry run', 20_000, async () => {
      const { attachments, nodes, asOfMs } = await state();
      const lostMs = asOfMs - (nodes.find(({ name }) => name === victim)?.sinceMs ?? asOfMs);
      const isHeld = attachments[0]?.reason === 'dry-run' && attachments[0].sinceMs !== undefined;
      return isHeld && lostMs > 4_000; // longer than the grace period, which also a single reading must wait for
    });
  }, 60_000);
  afterAll(() => controller[Symbol.asyncDispose]());

  async function state(): Promise<StateReport> {
    const response = await fetch(`${controller.url}/state?attachments=lost`);
    return (await response.json()) as StateReport;
  }

  /** The running controller, named or found where its configuration says; and none. */
  const ways: readonly [string, () => readonly string[]][] = [
    ['of the controller that --server names', () => [server]],
    ['of the controller that http.listen names', () => [`--http-listen=${new URL(controller.url).host}`]],
    ['of no controller', () => controller.flags],
  ];

  it.each(ways)('shows the status %s', async (what, flags) => {
    const { code, out } = await cli(['status', ...flags()]);
    expect(code).toBe(what === 'of no controller' ? 4 : 0);
    // A process of its own sees the loss begin with its first reading, so it waits for the grace.
    expect(out).toMatch(
      what === 'of no controller'
        ? /^Reattach .*, mode observe: 3 attachments, 1 on lost nodes/
        : /^Reattach .*, mode observe: 3 attachments, 1 on lost nodes; held: 1 dry-run\n/,
    );
    expect(out).toMatch(/\nBackend 127\.0\.0\.1: RouterOS .*; \d hosts? live; fences enforced; no fences\n/);
    const [head, row, ...others] = out.trimEnd().split('\n\n')[1]?.split('\n') ?? [];
    expect(head?.split(/ {2,}/)).toEqual([
      'VOLUME',
      'PVC',
      'NODE',
      'NODE STATE',
      'EVIDENCE',
      'DECISION',
      'SINCE',
    ]);
    expect(row?.split(/ {2,}/)).toEqual([
      volume,
      claim,
      victim,
      'NotReady',
      // One reading without history cannot tell the node's packets from what the backend sends to it again.
      expect.stringMatching(what === 'of no controller' ? /^(silent \d|live|unknown)/ : /^silent \d/),
      expect.stringMatching(what === 'of no controller' ? /^(wait|hold)/ : /^hold: dry-run$/),
      expect.stringMatching(/^(-|\d.*)$/),
    ]);
    expect(others).toEqual([]);
  });

  it.each(ways)('explains claim, volume and node %s', async (what, flags) => {
    for (const name of [claim, volume, victim]) {
      const { code, out } = await cli(['explain', name, ...flags()]);
      expect(code).toBe(0);
      expect(out).toContain(`Node ${victim} has been NotReady for `);
      expect(out).toContain(`Claim ${claim} (PersistentVolume ${volume}, VolumeAttachment csi-`);
      expect(out).toMatch(
        what === 'of no controller'
          ? /the backend, asked .* ago, says (silent|live|unknown)/
          : /the backend, asked .* ago, says silent: nothing came from .*; last activity .* ago\n/,
      );
      if (what === 'of no controller') continue; // it waits for the grace
      expect(out).toMatch(/\n {2}passed {3}grace-over +its grace is over/);
      expect(out).toMatch(/\n {2}decided {2}mode-observe +hold \(dry-run\): .*mode fence would fence/);
    }
  });

  it.each(ways)('shows what a pass would do, %s', async (what, flags) => {
    const { code, out } = await cli(['plan', ...flags()]);
    expect(code).toBe(0);
    expect(out).toContain(
      what === 'of no controller'
        ? 'Mode observe: a pass would\n  wait '
        : `Mode observe: a pass would\n  hold ${claim} on node ${victim} (dry-run)\n    because: `,
    );
  });

  it('prints live names for completion, and nothing where no controller answers', async () => {
    const env = { REATTACH_SERVER: controller.url };
    expect((await cli(['completion', 'names'], { env })).out.split('\n')).toEqual(
      expect.arrayContaining([victim, `node/${victim}`, `pv/${volume}`, `pvc/${claim}`]),
    );
    expect((await cli(['completion', 'nodes'], { env })).out.trim().split('\n')).toHaveLength(3);
    expect((await cli(['completion', 'backends'], { env })).out).toBe('127.0.0.1\n');
    const none = await cli(['completion', 'nodes'], { env: { REATTACH_SERVER: 'http://127.0.0.1:9' } });
    expect([none.code, none.out, none.err]).toEqual([0, '', '']);
  });

  it('says whom it asked, unless that was named', async () => {
    expect((await cli(['status', server])).err).toBe('');
    const local = await cli(['status', `--http-listen=${new URL(controller.url).host}`]);
    expect(local.err).toBe(`Asked the controller at ${controller.url}.\n`);
    const alone = await cli(['status', ...controller.flags]);
    expect(alone.err).toMatch(
      /^No controller found\. No controller answers at .*\nCluster and backends were read once instead\. /,
    );
  });

  it('plans by the mode it is given where there is no controller', async () => {
    const observe = await cli(['plan', ...controller.flags]);
    expect(observe.out).toContain('Mode observe: a pass would');
    const fence = await cli(['plan', ...controller.flags, '--mode=fence']);
    expect(fence.out).toContain('Mode fence: a pass would');
  });

  it('plans by the mode it is given where the controller runs in another one', async () => {
    const fence = await cli(['plan', server, '--mode=fence']);
    expect(fence.out).toContain('Mode fence: ');
    expect(fence.out).toContain(`fence node ${victim} at backend 127.0.0.1, for ${claim}`);
    expect((await cli(['plan', server])).out).toContain('Mode observe: ');
  });

  it('prints JSON and YAML that say the same', async () => {
    const json = await cli(['status', '-o', 'json', '--all', server]);
    const yaml = await cli(['status', '--output=yaml', '--all', server]);
    const reports = [JSON.parse(json.out) as StateReport, parse(yaml.out) as StateReport];
    for (const report of reports) {
      expect(report.attachments).toHaveLength(3);
      expect(report.attachments.find(({ node }) => node === victim)).toMatchObject({
        decision: 'hold',
        reason: 'dry-run',
      });
    }
    const explained = JSON.parse((await cli(['explain', claim, '-o', 'json', server])).out);
    expect(explained.attachments[0].rules.at(-1)).toMatchObject({ rule: 'mode-observe', outcome: 'decided' });
    expect(JSON.parse((await cli(['plan', '-o', 'json', server])).out)).toMatchObject({
      mode: 'observe',
      steps: [{ kind: 'hold', node: victim, volumes: [claim], reason: 'dry-run' }],
    });
    expect(JSON.parse((await cli(['history', '-o', 'json', server])).out)).toEqual({ records: [] });
  });

  it('lists all attachments when asked to, the lost ones first', async () => {
    const { out } = await cli(['status', '--all', server]);
    const rows = out.trimEnd().split('\n\n')[1]?.split('\n').slice(1) ?? [];
    expect(rows).toHaveLength(3);
    expect(rows[0]).toContain(victim);
    expect(rows[1]).toMatch(/Ready +- +keep +-$/);
  });

  it('exits with 3 when something is held, only if asked to', async () => {
    expect((await cli(['status', '--exit-code', server])).code).toBe(3);
    expect((await cli(['status', server])).code).toBe(0);
  });

  it('colours for a terminal, unless NO_COLOR says otherwise', async () => {
    const isTerminal = true;
    expect((await cli(['status', server], { isTerminal })).out).toContain('\u001b[');
    expect((await cli(['status', server], { isTerminal, env: { NO_COLOR: '1' } })).out).not.toContain(
      '\u001b[',
    );
    expect((await cli(['status', server])).out).not.toContain('\u001b[');
  });

  it('asks the controller that the environment names', async () => {
    const { code, out } = await cli(['history'], { env: { REATTACH_SERVER: controller.url } });
    expect([code, out]).toEqual([0, 'Nothing was done yet\n']);
  });

  it('asks the controller for a pass', async () => {
    expect((await cli(['reconcile', server])).code).toBe(0);
    await until('the pass', 5_000, async () => (await state()).lastPass?.reasons.includes('manual') ?? false);
  });

  it.each([
    [
      'a server that is named but away',
      () => ['status', '--server=http://127.0.0.1:1'],
      1,
      'No controller answers at',
    ],
    ['a server without a URL', () => ['status', '--server=nonsense'], 2, 'Expected an http or https URL'],
    [
      'no controller to ask for a pass',
      () => ['reconcile', '--http-listen=127.0.0.1:1'],
      1,
      'No controller answers at',
    ],
    ['no history anywhere', () => ['history', '--http-listen=127.0.0.1:1'], 4, 'No controller found'],
    [
      'neither controller nor configuration',
      () => ['status', '--http-listen=127.0.0.1:1'],
      4,
      'rds.address: expected',
    ],
    ['an unknown name', () => ['explain', 'nonsense', server], 1, 'Nothing is known of "nonsense"'],
    ['no name', () => ['explain', server], 2, 'Expected <name> after reattach explain'],
    ['two names', () => ['explain', 'a', 'b', server], 2, 'Expected only <name> after explain, got "b"'],
    [
      'an unknown flag',
      () => ['status', '--nonsense'],
      2,
      'Expected a flag that status knows, got --nonsense',
    ],
    [
      'an unknown format',
      () => ['status', '-o', 'xml'],
      2,
      'Expected table, json or yaml after --output, got "xml"',
    ],
    ['a format that is missing', () => ['status', '-o'], 2, 'Expected table, json or yaml after --output'],
    [
      'a limit that is none',
      () => ['history', '--limit=0', server],
      2,
      'Expected a whole number from 1 to 1000',
    ],
    [
      'an unknown shell',
      () => ['completion', 'csh'],
      2,
      'Expected bash, zsh or fish after completion, got "csh"',
    ],
  ] as const)('says what was expected: %s', async (_what, args, code, message) => {
    const run = await cli(args());
    expect(run).toMatchObject({ code, out: '' });
    expect(run.err).toContain(message);
  });

  it('lists the Events of Reattach, and none of another node', async () => {
    const { code, out, err } = await cli(['events', ...controller.flags]);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^LAST SEEN +REASON +OBJECT +COUNT +MESSAGE\n/);
    expect(out).toContain(`PersistentVolumeClaim ${claim.replace('/', '/')}`);
    const { events } = JSON.parse((await cli(['events', '-o', 'json', ...controller.flags])).out);
    expect(events.length).toBeGreaterThan(0);
    const elsewhere = await cli(['events', '--node', 'no-such-node', ...controller.flags]);
    expect(elsewhere.out).toBe('There are no Events of Reattach. Kubernetes keeps an Event for an hour.\n');
  });

  it('collects a support bundle that holds no key', { timeout: 120_000 }, async () => {
    const { code, out } = await cli(['support-bundle', ...controller.flags, server]);
    expect(code).toBe(0);
    const bundle = JSON.parse(out) as Record<string, unknown>;
    expect(Object.keys(bundle)).toEqual(
      expect.arrayContaining(['version', 'configuration', 'state', 'history', 'readyz', 'metrics', 'doctor']),
    );
    expect(JSON.stringify(bundle['doctor'])).toContain('cluster reachable');
    expect(out).not.toContain('PRIVATE KEY');
    expect(out).not.toContain(controller.world.rds.credentials.privateKey.split('\n')[1]);
  });

  it('prints the status again and again with --watch, until it is interrupted', async () => {
    const interrupt = new AbortController();
    let printed = 0;
    const clear = () => {
      printed++;
      if (printed === 3) interrupt.abort(new Error('interrupted'));
    };
    const { code, out, err } = await cli(['status', '-w', server], { signal: interrupt.signal, clear });
    expect([code, err]).toEqual([1, 'Interrupted\n']);
    expect(out.match(/^Reattach /gm)).toHaveLength(2);
    expect(printed).toBe(3);
  });

  it('lists its flags', async () => {
    const { code, out } = await cli(['fence', '--help']);
    expect(code).toBe(0);
    expect(out).toContain('Usage: reattach fence <node> [flags]');
    expect(out).toContain('--yes');
  });
});
