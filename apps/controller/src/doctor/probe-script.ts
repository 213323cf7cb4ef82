import { BACKEND_KINDS } from '../backends.ts';
import type { HostPort } from '../config/host-port.ts';
import type { BackendConfig } from '../config/read-backends.ts';

/** A shell script that runs the probes of each backend over `ssh`, with the operator's own key, and shows each answer byte for byte. */
export function probeScript(backends: readonly BackendConfig[]): string {
  const runs = backends.flatMap(({ kind, settings }) => {
    const probes = BACKEND_KINDS.find((each) => each.kind === kind)?.probeScript?.split('\n') ?? [];
    const { host, port } = settings['address'] as HostPort;
    const user = settings['user'] as string;
    const login = `ssh -T -p ${port} ${quote(`${user}@${host}`)}`;
    return probes.map(
      (probe) => `echo ${quote(`== ${host}: ${probe}`)}\n${login} ${quote(probe)} 2>&1 | od -c | head -60`,
    );
  });
  const head =
    '# reattach doctor --print-probes: run it and send us the output. Read it first, because it names your volumes.';
  return ['#!/bin/sh', head, ...runs, ''].join('\n');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
