import { defineConfig } from 'vitest/config';
import { conditions } from './index.mjs';

/** End-to-end tests start real servers: one file at a time, with time for etcd and kube-apiserver to come up. */
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['test/e2e/**/*.test.ts'],
    fileParallelism: false,
    // A busy machine must not fail a test: limits only end what hangs.
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
