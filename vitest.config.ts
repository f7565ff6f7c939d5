import { defineConfig } from 'vitest/config'
import { SkipReporter } from './test/support/skip-reporter.ts'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Expectations about types are compiled, not run.
    exclude: ['test/types/**'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    reporters: ['default', new SkipReporter()],
  },
})
