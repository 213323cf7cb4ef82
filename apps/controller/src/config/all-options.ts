import type { BackendDescriptor, BackendOption } from '@reattach/core';
import { BACKEND_KINDS } from '../backends.ts';
import type { Option, OptionTable } from './option.ts';
import { OPTIONS } from './option-table.ts';
import { address, addressList, duration, type OptionType, path, text, wholeNumber } from './option-type.ts';

const TYPES: { readonly [T in BackendOption['type']]: (option: BackendOption) => OptionType<unknown> } = {
  text: () => text,
  file: () => path,
  'host-port': ({ defaultPort = 0 }) => address(defaultPort),
  addresses: () => addressList,
  milliseconds: () => duration(1),
  count: () => wholeNumber(1),
};

/** The options of a backend follow this one in help and README. */
const BACKENDS_FOLLOW = 'otherDrivers';

/** Every option: those of the controller, and those of each kind of backend below the kind's name. */
export const ALL_OPTIONS: OptionTable = new Map(
  Object.entries<Option>(OPTIONS).flatMap((entry) =>
    entry[0] === BACKENDS_FOLLOW ? [entry, ...BACKEND_KINDS.flatMap(optionsOf)] : [entry],
  ),
);

/** Key of an option of a backend: `rds.address`. */
export function backendKey(kind: string, name: string): string {
  return `${kind}.${name}`;
}

function optionsOf({ kind, options }: BackendDescriptor): readonly (readonly [string, Option])[] {
  return Object.entries(options).map(([name, option]) => [
    backendKey(kind, name),
    { ...option, type: TYPES[option.type](option) },
  ]);
}
