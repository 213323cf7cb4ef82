import type { Device } from '../device/device.ts';
import { INTERFACE } from '../device/firewall-rules.ts';
import { ItemId, type Value } from '../script/value.ts';
import { type ListMenu, NO_NAMES } from './menu.ts';

/** `/ip/address`, read-only: where hosts reach the device. */
export function addressMenu(device: Device): ListMenu {
  return {
    kind: 'list',
    path: '/ip/address',
    ordered: false,
    flags: [
      { letter: 'X', name: 'DISABLED', key: 'disabled' },
      { letter: 'D', name: 'DYNAMIC', key: 'dynamic' },
    ],
    brief: ['address', 'network', 'interface'],
    stats: [],
    quoted: NO_NAMES,
    settable: NO_NAMES,
    rows: () => [
      {
        id: new ItemId(1),
        values: new Map<string, Value>([
          ['disabled', false],
          ['dynamic', false],
          ['invalid', false],
          ['address', `${device.address}/24`],
          ['interface', INTERFACE],
        ]),
      },
    ],
  };
}
