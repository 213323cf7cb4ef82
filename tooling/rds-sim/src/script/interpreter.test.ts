import { FakeClock } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { Device } from '../device/device.ts';
import { DEFAULT_DIALECT, type Dialect } from '../dialect.ts';
import { MenuTree } from '../menu/menu-tree.ts';
import { runScript } from './interpreter.ts';

function run(source: string, options: Partial<Dialect> = {}): string {
  const dialect = { ...DEFAULT_DIALECT, ...options };
  const clock = new FakeClock();
  const device = new Device({ clock });
  for (const slot of ['pvc-1', 'pvc-2', 'boot'])
    device.addVolume({ slot, nqn: `nqn.${slot}`, sizeBytes: 10_000 });
  device.addVolume({ slot: 'local', nqn: 'nqn.local', sizeBytes: 10_000, exported: false });
  const tree = new MenuTree({
    device,
    clock,
    dialect,
    users: () => [],
    ssh: () => ({ port: 22, maxSessions: 20, remotes: [] }),
  });
  const { output } = runScript(source, dialect, {
    tree,
    dialect,
    mayWrite: true,
    widthColumns: 80,
    log: () => undefined,
  });
  return output.replaceAll('\r\n', '|');
}

describe('runScript', () => {
  it.each([
    [':put "a b"; :put c', 'a b|c|'],
    [':put ("a" . "b" . 1)', 'ab1|'],
    [':put (1 + 2 * 3 - 4 / 2)', '5|'],
    [':put (1 < 2 and !(2 >= 3) or 1 = 2)', 'true|'],
    [':local a "x"; :put "$a-$a"', 'x-x|'],
    [':local a 1; { :local a 2; :put $a }; :put $a', '2|1|'],
    [':local a 1; { :set a 2 }; :put $a', '2|'],
    [':global g 1; :if ($g = 1) do={:put same} else={:put other}', 'same|'],
    [':foreach x in={a;b;3} do={:put $x}', 'a|b|3|'],
    [':foreach x in=[/disk find where slot~"^pvc"] do={:put [/disk get $x slot]}', 'pvc-1|pvc-2|'],
    [':put ({"k"=v;"a"=1}->"k")', 'v|'],
    [':put ({a;b;c}->1)', 'b|'],
    [':put [:len {a;b;c}]; :put [:len "four"]', '3|4|'],
    [
      ':put [:typeof 1]; :put [:typeof "1"]; :put [:typeof [/disk find]]; :put [:typeof ()]',
      'num|str|array|nothing|',
    ],
    [':put [:tonum "12"]; :put [:tostr 12]', '12|12|'],
    [':do {:error "own"} on-error={:put caught}', 'caught|'],
    [':error "own"; :put never', 'own|'],
    [':put [/disk find where slot=boot]', '*4|'],
    [
      ':put [:serialize to=json value={"n"=1;"s"="2";"b"=true;"l"={1;"x"}}]',
      '{"b":true,"l":[1,"x"],"n":1,"s":2.000000}|',
    ],
    [':put [:serialize to=json options=json.no-string-conversion value={"s"="0012"}]', '{"s":"0012"}|'],
    ['# a remark\n:put after', 'after|'],
  ])('%s', (source, output) => {
    expect(run(source)).toBe(output);
  });

  it.each([
    ['slot=pvc-1', 1],
    ['slot="pvc-1"', 1],
    ['slot!=pvc-1', 4],
    ['slot~"pvc"', 2],
    ['slot~"pvc" or slot=boot', 3],
    ['slot~"pvc" and size=10000', 2],
    ['slot~"pvc" size=9', 0],
    ['(slot=boot or slot=pvc-1) and nvme-tcp-export=yes', 2],
    ['nvme-tcp-export', 3],
    ['!nvme-tcp-export', 2],
    ['nvme-tcp-export=no', 2],
    ['nvme-tcp-export=true', 3],
    ['size>9999', 5],
    ['size<10000', 0],
    ['.id=*2', 1],
    ['no-such-key=1', 0],
  ])('print where %s', (filter, count) => {
    expect(run(`/disk print count-only where ${filter}`)).toBe(`${count}|`);
    expect(run(`:put [:len [/disk find ${filter}]]`)).toBe(`${count}|`);
  });

  it('a variable named like a property is the property inside where', () => {
    expect(run(':local slot boot; /disk print count-only where slot=$slot')).toBe('5|');
    expect(run(':local name boot; /disk print count-only where slot=$name')).toBe('1|');
  });

  it('reads menus in both forms, and find inside a command as that of its menu', () => {
    expect(run('/ip firewall raw add chain=prerouting; /ip/firewall/raw print count-only')).toBe('1|');
    expect(
      run('/ip firewall/raw print count-only; /disk/remove [find slot~"pvc"]; /disk print count-only'),
    ).toBe('0|3|');
  });

  it('a known property without a value is nothing', () => {
    const add = '/ip/firewall/raw/add chain=mine action=drop';
    expect(run(`${add}; :put ("<" . [/ip/firewall/raw/get 0 in-interface-list] . ">")`)).toBe('<>|');
    expect(run('/ip/firewall/raw/add chain=prerouting connection-state=new')).toMatch(/^bad parameter/);
    expect(run('/ip/firewall/filter/add chain=input connection-state=new')).toBe('');
  });

  it.each([
    ['/nonsense', 'bad command name nonsense (line 1 column 2)|'],
    ['/disk/nonsense/print', 'syntax error (line 1 column 7)|'],
    ['/disk nonsense', 'bad command name nonsense (line 1 column 7)|'],
    [':nonsense', 'bad command name nonsense (line 1 column 2)|'],
    ['/disk print nonsense', 'bad parameter nonsense (line 1 column 13)|'],
    ['/disk add nonsense=1', 'bad parameter nonsense (line 1 column 11)|'],
    ['/disk get', 'no such item|'],
    ['/disk get *99 slot', 'no such item|'],
    [
      '/disk get [find slot~"pvc"] slot',
      'ambiguous value of number, more than one possible value matches input|',
    ],
    ['/disk get boot nonsense', 'input does not match any value of value-name|'],
    ['/disk remove', 'expected item id|'],
    ['/disk set no-such nvme-tcp-export=no', 'no such item|'],
    ['/disk set boot nvme-tcp-export=maybe', 'input does not match any value of nvme-tcp-export|'],
    ['/ip/firewall/raw/add chain=prerouting action=burn', 'input does not match any value of action|'],
    [
      '/ip/firewall/raw/add chain=prerouting protocol=tcp dst-port=70000',
      'invalid value 70000 for argument dst-port|',
    ],
    [':put (1 / 0)', 'division by zero|'],
  ])('%s -> is refused', (source, output) => {
    expect(run(source)).toBe(output);
  });

  it('refuses unknown arguments in the words of older versions, as an option', () => {
    const older = { unknownArgument: 'expected end of command' } as const;
    expect(run('/disk print nonsense', older)).toBe('expected end of command (line 1 column 13)|');
  });

  it('an empty find is a silent success', () => {
    expect(
      run('/disk remove [find slot=no-such]; /disk set [find slot=no-such] nvme-tcp-export=no; :put END'),
    ).toBe('END|');
  });

  it('an open bracket is answered only with the option', () => {
    expect(run(':put [/disk find')).toBe('');
    expect(run(':put [/disk find', { unbalanced: 'error' })).toMatch(/^expected closing bracket/);
  });

  it('print as-value prints nothing by itself, and records inside :put', () => {
    expect(run('/disk print as-value where slot=boot')).toBe('');
    expect(run(':put [/disk print as-value where slot=boot]')).toBe(
      '.id=*4;model=/raid10/volumes/boot.img;size=10000;slot=boot|',
    );
    expect(run(':put [/disk print count-only where slot=boot]')).toBe('1|1|');
  });
});
