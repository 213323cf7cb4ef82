import { defineConfig } from 'vitest/config';

/** In the repository packages are read from source; the condition has no effect on the published ones. */
const conditions = ['source', 'node'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: { testTimeout: 300_000 },
});
