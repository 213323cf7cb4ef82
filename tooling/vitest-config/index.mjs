import { defineConfig } from 'vitest/config';

/** Tests read sibling packages from source, so no build is needed before them. */
export const conditions = ['source', 'node'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['src/**/*.test.ts', 'test/integration/**/*.test.ts', 'test/regression/**/*.test.ts'],
    restoreMocks: true,
    // A busy machine must not fail a test: limits only end what hangs.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
