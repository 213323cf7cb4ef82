import { describe, expect, it } from 'vitest';
import { bumpsOf, missingMajors } from './missing-majors.ts';

const manifests = [
  { name: '@reattach/core' },
  { name: '@reattach/k8s-api', peerDependencies: { '@reattach/core': 'workspace:^' } },
];

describe('missingMajors', () => {
  it.each<[string, Readonly<Record<string, string>>[], string[]]>([
    ['no major of core', [{ '@reattach/core': 'minor' }], []],
    ['a major of core alone', [{ '@reattach/core': 'major' }], ['@reattach/k8s-api']],
    ['both in one changeset', [{ '@reattach/core': 'major', '@reattach/k8s-api': 'major' }], []],
    ['both in two changesets', [{ '@reattach/core': 'major' }, { '@reattach/k8s-api': 'major' }], []],
  ])('%s -> %j', (_, changesets, expected) => {
    expect(missingMajors(changesets, manifests)).toEqual(expected);
  });
});

describe('bumpsOf', () => {
  it('reads the front matter', () => {
    const text = '---\n"@reattach/core": major\n\'@reattach/k8s-api\': patch\n---\n\nTitle\n';
    expect(bumpsOf(text, 'a.md')).toEqual({ '@reattach/core': 'major', '@reattach/k8s-api': 'patch' });
  });

  it('names the file without front matter', () => {
    expect(() => bumpsOf('Title', 'a.md')).toThrow('a.md');
  });
});
