import { defineConfig } from 'vitest/config'

// The journey is one story: in order, and over at the first failure.
export default defineConfig({
  test: { include: ['e2e/*.spec.ts'], fileParallelism: false, sequence: { concurrent: false }, bail: 1, testTimeout: 120_000, hookTimeout: 120_000, reporters: ['verbose'] },
})
