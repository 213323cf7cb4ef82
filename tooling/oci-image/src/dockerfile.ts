/** What the last stage of a Dockerfile says: the image has the same files and settings, whichever way it is built. */
export interface FinalStage {
  readonly workdir: string;
  /** Files below `apps/controller` of the build, relative to it. */
  readonly files: readonly string[];
  readonly user: string;
  readonly ports: readonly string[];
  readonly env: readonly string[];
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
}

/** Where the Dockerfile builds the app. */
const APP = '/build/apps/controller/';

/** @throws {Error} for an instruction that this reader does not know, so that none is lost silently */
export function finalStageOf(dockerfile: string): FinalStage {
  const text = dockerfile.slice(dockerfile.lastIndexOf('\nFROM ') + 1);
  const stage = {
    workdir: '/',
    files: [] as string[],
    user: '',
    ports: [] as string[],
    env: [] as string[],
    entrypoint: [] as string[],
    command: [] as string[],
  };
  const [, ...lines] = text.split('\n').filter((line) => !/^\s*(#|$)/.test(line));
  for (const line of lines) {
    const [, name = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    if (name === 'WORKDIR') stage.workdir = rest;
    else if (name === 'USER') stage.user = rest;
    else if (name === 'EXPOSE') stage.ports.push(`${rest}/tcp`);
    else if (name === 'ENV') stage.env.push(rest);
    else if (name === 'ENTRYPOINT') stage.entrypoint = JSON.parse(rest) as string[];
    else if (name === 'CMD') stage.command = JSON.parse(rest) as string[];
    else if (name === 'COPY') stage.files.push(...copiedFiles(rest));
    else
      throw new Error(
        `deploy/Dockerfile: the last stage has "${line}", which the image builder does not know`,
      );
  }
  return stage;
}

function copiedFiles(rest: string): readonly string[] {
  const [from, ...paths] = rest.split(' ');
  const target = paths.pop();
  if (from !== '--from=build' || target !== './' || paths.some((path) => !path.startsWith(APP)))
    throw new Error(`deploy/Dockerfile: expected COPY --from=build ${APP}... ./, got COPY ${rest}`);
  return paths.map((path) => path.slice(APP.length));
}
