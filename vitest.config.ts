import { defineConfig } from 'vitest/config'
import { SkipReporter } from './test/support/skip-reporter.ts'

/** Tests of whole applications, which run on SQLite and again on Redis: nothing but the URL is another. */
const APPLICATIONS = [
  'test/app.test.ts',
  'test/cli/{cluster,commands,worker}.test.ts',
  'test/result/stores.test.ts',
  'test/services/{ends,local-services,several-processes,start-errors}.test.ts',
  'test/worker/{by-value,cancelling,current-app,current-task,fidelity,linked,losses,many-futures,orphans,outcomes,output,refused,registered,stopping,timing}.test.ts',
]

export default defineConfig({
  test: {
    globalSetup: ['test/support/compile-cache-global-setup.ts', 'test/support/redis-global-setup.ts'],
    // Expectations about types are compiled, not run.
    exclude: ['test/types/**'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    reporters: ['default', new SkipReporter()],
    projects: [
      { extends: true, test: { name: 'celeriac', include: ['test/**/*.test.ts'] } },
      { extends: true, test: { name: 'on redis', include: APPLICATIONS, env: { CELERIAC_TEST_STORE: 'redis' } } },
    ],
  },
})
