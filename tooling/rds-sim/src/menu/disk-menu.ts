import type { Device } from '../device/device.ts';
import type { Volume } from '../nvme/volume.ts';
import { runtimeError } from '../script/script-error.ts';
import { ItemId, type Value, type ValueMap } from '../script/value.ts';
import { oneOf, required, sizeBytes, yesNo } from './arguments.ts';
import { LazyRow, type ListMenu, type Row } from './menu.ts';

const STATS = ['slot', 'read-ops', 'read-bytes', 'write-ops', 'write-bytes', 'in-flight-ops'];
/** The array the volumes' files lie on. */
const ARRAY_ID = new ItemId(1);
const ARRAY_BYTES = 16_003_143_565_312;

/** `/disk`: an array and the volumes on it. */
export function diskMenu(device: Device): ListMenu {
  const find = (id: ItemId): Volume => {
    const volume = device.volumes.find((candidate) => candidate.id.number === id.number);
    if (!volume) throw runtimeError('failure: not allowed for this disk');
    return volume;
  };
  return {
    kind: 'list',
    path: '/disk',
    ordered: false,
    flags: [
      { letter: 'B', name: 'BLOCK-DEVICE', key: 'block-device' },
      { letter: 'M', name: 'MOUNTED', key: 'mounted' },
      { letter: 't', name: 'NVME-TCP-EXPORT', key: 'nvme-tcp-export', alsoKey: true },
    ],
    brief: ['slot', 'model', 'size'],
    stats: STATS,
    quoted: new Set([
      'slot',
      'slot-default',
      'parent',
      'model',
      'state',
      'mount-point',
      'nvme-tcp-server-nqn',
      'nvme-tcp-server-allow-host-name',
      'comment',
    ]),
    settable: new Set([
      'type',
      'slot',
      'file-path',
      'file-size',
      'nvme-tcp-export',
      'nvme-tcp-server-port',
      'nvme-tcp-server-nqn',
      'nvme-tcp-server-allow-host-name',
    ]),
    rows: () => [
      arrayRow(),
      ...device.volumes.map((volume) => new LazyRow(volume.id, volume.slot, () => volumeValues(volume))),
    ],
    add(values) {
      oneOf(values, 'type', ['file']);
      const slot = required(values, 'slot');
      if (device.volume(slot)) throw runtimeError('failure: already have such entry');
      const volume = device.addVolume({
        slot,
        nqn: values.get('nvme-tcp-server-nqn') ?? `nqn.2000-02.com.mikrotik:${slot}`,
        sizeBytes: sizeBytes(values, 'file-size'),
        filePath: required(values, 'file-path'),
        exported: yesNo(values, 'nvme-tcp-export') ?? false,
        port: exportPort(values) ?? 4420,
      });
      return volume.id;
    },
    set(id, values) {
      const volume = find(id);
      const port = exportPort(values);
      const exported = yesNo(values, 'nvme-tcp-export');
      if (port !== undefined) volume.port = port;
      volume.nqn = values.get('nvme-tcp-server-nqn') ?? volume.nqn;
      volume.allowHostName = values.get('nvme-tcp-server-allow-host-name') ?? volume.allowHostName;
      if (exported !== undefined) device.setExported(volume, exported);
    },
    remove: (id) => device.removeVolume(find(id)),
  };
}

function exportPort(values: ReadonlyMap<string, string>): number | undefined {
  const value = values.get('nvme-tcp-server-port');
  if (value === undefined) return undefined;
  if (!/^\d{1,5}$/.test(value) || Number(value) > 65_535) {
    throw runtimeError(`invalid value ${value} for argument nvme-tcp-server-port`);
  }
  return Number(value);
}

function volumeValues(volume: Volume): ValueMap {
  const exportKeys: readonly (readonly [string, Value])[] = volume.exported
    ? [
        ['nvme-tcp-server-port', volume.port],
        ['nvme-tcp-server-nqn', volume.nqn],
        ['nvme-tcp-server-allow-host-name', volume.allowHostName],
      ]
    : [];
  return new Map<string, Value>([
    ['block-device', true],
    ['type', 'file'],
    ['slot', volume.slot],
    ['slot-default', ''],
    ['parent', ''],
    ['fs', '-'],
    ['model', volume.filePath],
    ['size', volume.sizeBytes],
    ['mount-filesystem', false],
    ['mount-read-only', false],
    ['compress', false],
    ['sector-size', 512],
    ['raid-master', 'none'],
    ['nvme-tcp-export', volume.exported],
    ...exportKeys,
    ['iscsi-export', false],
    ['nfs-sharing', false],
    ['smb-sharing', false],
    ['media-sharing', false],
    ['media-interface', 'none'],
    ['swap', false],
    ['file-path', volume.filePath],
    ['file-size', `${(volume.sizeBytes / 1024 ** 3).toFixed(1)}GiB`],
    ['file-offset', 0],
    ['read-ops', 0],
    ['read-bytes', 0],
    ['write-ops', volume.writeOps],
    ['write-bytes', volume.writeBytes],
    ['in-flight-ops', volume.inFlightOps],
  ]);
}

function arrayRow(): Row {
  return {
    id: ARRAY_ID,
    name: 'raid10',
    values: new Map<string, Value>([
      ['block-device', true],
      ['mounted', true],
      ['type', 'raid'],
      ['slot', 'raid10'],
      ['slot-default', ''],
      ['parent', ''],
      ['fs', 'xfs'],
      ['model', 'RAID0 striped'],
      ['size', ARRAY_BYTES],
      ['mount-point', 'raid10'],
      ['mount-filesystem', true],
      ['mount-read-only', false],
      ['raid-master', 'none'],
      ['state', 'clean'],
      ['nvme-tcp-export', false],
      ['iscsi-export', false],
      ['swap', false],
      ['read-ops', 0],
      ['read-bytes', 0],
      ['write-ops', 0],
      ['write-bytes', 0],
      ['in-flight-ops', 0],
    ]),
  };
}
