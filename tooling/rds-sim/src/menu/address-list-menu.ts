import type { Clock } from '@reattach/core';
import type { AddressListEntry } from '../device/address-list.ts';
import type { Device } from '../device/device.ts';
import { runtimeError } from '../script/script-error.ts';
import { Duration, type ItemId, type Value } from '../script/value.ts';
import { durationMs, required, yesNo } from './arguments.ts';
import { dateTime } from './date-time.ts';
import type { ListMenu } from './menu.ts';

/** `/ip/firewall/address-list`. */
export function addressListMenu(device: Device, clock: Clock): ListMenu {
  const find = (id: ItemId): AddressListEntry => {
    const entry = device.addressList.entries.find((candidate) => candidate.id.number === id.number);
    if (!entry) throw runtimeError('no such item');
    return entry;
  };
  return {
    kind: 'list',
    path: '/ip/firewall/address-list',
    ordered: false,
    flags: [
      { letter: 'X', name: 'DISABLED', key: 'disabled' },
      { letter: 'D', name: 'DYNAMIC', key: 'dynamic' },
    ],
    brief: ['list', 'address', 'creation-time', 'timeout'],
    stats: [],
    quoted: new Set(['comment']),
    settable: new Set(['list', 'address', 'comment', 'disabled', 'dynamic', 'timeout']),
    rows: () =>
      device.addressList.entries.map((entry) => ({
        id: entry.id,
        values: new Map<string, Value>([
          ['disabled', entry.disabled],
          ['dynamic', entry.dynamic],
          ...(entry.comment === undefined ? [] : [['comment', entry.comment] as const]),
          ['list', entry.list],
          ['address', entry.address],
          ['creation-time', dateTime(entry.createdAtMs)],
          ...(entry.expiresAtMs === undefined
            ? []
            : [['timeout', new Duration(entry.expiresAtMs - clock.now())] as const]),
        ]),
      })),
    add: (values) =>
      device.addressList.add({
        list: required(values, 'list'),
        address: required(values, 'address'),
        comment: values.get('comment'),
        disabled: yesNo(values, 'disabled'),
        dynamic: yesNo(values, 'dynamic'),
        timeoutMs: durationMs(values, 'timeout'),
      }).id,
    set(id, values) {
      const entry = find(id);
      const disabled = yesNo(values, 'disabled');
      const [list, address, comment] = ['list', 'address', 'comment'].map((name) => values.get(name));
      device.addressList.change(entry, {
        ...(list !== undefined && { list }),
        ...(address !== undefined && { address }),
        ...(comment !== undefined && { comment }),
        ...(disabled !== undefined && { disabled }),
      });
    },
    remove: (id) => device.addressList.remove(find(id)),
  };
}
