import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { documents, ROOT } from '../documents.ts';
import { krewManifest, NO_ARCHIVE_YET } from './krew-manifest.ts';

const PATH = join(ROOT, 'deploy/krew/reattach.yaml');

function json(path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(ROOT, path), 'utf8')) as Record<string, unknown>;
}

const PROJECT = json('deploy/project.json') as { repository: string; issues: string; security: string };

/** `WRITE_KREW=1` renews the manifest. */
describe('deploy/krew/reattach.yaml', () => {
  const version = json('apps/controller/package.json')['version'] as string;
  const manifest = krewManifest({ version, repository: PROJECT.repository, sha256: NO_ARCHIVE_YET });

  it('is the manifest that the version and deploy/project.json make', () => {
    if (process.env['WRITE_KREW'] !== undefined) writeFileSync(PATH, manifest);
    expect(readFileSync(PATH, 'utf8')).toBe(manifest);
  });

  it('has what krew requires of a plugin', () => {
    const { apiVersion, kind, metadata, spec } = parse(manifest);
    expect([apiVersion, kind, metadata.name]).toEqual([
      'krew.googlecontainertools.github.com/v1alpha2',
      'Plugin',
      'reattach',
    ]);
    expect(spec.version).toMatch(/^v\d+\.\d+\.\d+/);
    expect(spec.shortDescription.length).toBeLessThanOrEqual(50);
    for (const { uri, sha256, bin, files, selector } of spec.platforms) {
      expect(uri).toMatch(/^https:\/\/.*\.tar\.gz$/);
      expect(sha256).toMatch(/^[0-9a-f]{64}$/);
      expect(files.map((file: { from: string }) => file.from)).toContain(bin);
      expect(Object.keys(selector.matchLabels)).toEqual(['os', 'arch']);
    }
  });

  it('ships the files that the build of the controller writes', () => {
    const build = readFileSync(join(ROOT, 'apps/controller/build.mjs'), 'utf8');
    for (const file of ['reattach.mjs', 'main.mjs']) expect(build).toContain(`dist/${file}`);
  });
});

describe('deploy/project.json', () => {
  it('is where every package gets its repository and issue tracker from', () => {
    const paths = globSync('packages/*/package.json', { cwd: ROOT });
    expect(paths.length).toBeGreaterThan(5);
    for (const path of paths) {
      const { bugs, repository } = json(path);
      expect([path, bugs]).toEqual([path, PROJECT.issues]);
      expect((repository as { url: string }).url).toBe(`git+${PROJECT.repository}.git`);
    }
  });
});

describe('documents', () => {
  it('call kubectl exec without a terminal, so that the output can be piped', () => {
    const calls = documents().flatMap(({ path, text }) =>
      [...text.matchAll(/kubectl[^\n`]* exec [^\n`]*/g)].map(([call]) => `${path}: ${call}`),
    );
    expect(calls.length).toBeGreaterThan(0);
    expect(calls.filter((call) => /\s(-\w*t\w*|--tty)\s/.test(call))).toEqual([]);
  });
});
