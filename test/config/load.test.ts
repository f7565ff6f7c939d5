import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { OptionName } from '../../src/config/celery-options.ts'
import { type ConfigSources, loadConfig } from '../../src/config/config.ts'
import { ImproperlyConfigured } from '../../src/errors.ts'

const DEFAULTS = {
  main: 'celeriac',
  app: undefined,
  include: [],
  brokerUrl: 'sqlite:',
  resultBackend: 'sqlite:',
  brokerConnectionTimeout: 4,
  brokerReadUrl: 'sqlite:',
  brokerWriteUrl: 'sqlite:',
  brokerTransportOptions: { synchronous: 'normal', allowNetworkFileSystem: false },
  brokerUseSsl: false,
  brokerConnectionRetry: true,
  brokerConnectionRetryOnStartup: true,
  brokerConnectionMaxRetries: 0,
  brokerHeartbeat: 120,
  resultBackendTransportOptions: {},
  redisBackendUseSsl: false,
  redisSocketTimeout: undefined,
  redisSocketConnectTimeout: undefined,
  redisSocketKeepalive: true,
  redisBackendHealthCheckInterval: undefined,
  redisClientName: undefined,
  redisRetryOnTimeout: false,
  redisMaxConnections: undefined,
  taskAlwaysEager: false,
  taskEagerPropagates: false,
  taskDefaultQueue: 'celery',
  taskDefaultPriority: 0,
  taskIgnoreResult: false,
  taskTrackStarted: true,
  taskAcksLate: true,
  taskRejectOnWorkerLost: true,
  taskPackages: [],
  taskMaxDeliveries: 3,
  taskMessageMaxSize: 16_777_216,
  taskErrorMaxLength: 65_536,
  taskUnknownDelay: 5,
  resultExpires: 86_400,
  resultExtended: true,
  acceptContent: ['json'],
  taskSerializer: 'json',
  taskCompression: undefined,
  resultAcceptContent: ['json'],
  resultSerializer: 'json',
  resultCompression: undefined,
  sanitizeArguments: true,
  secretKey: undefined,
  secretKeyFallbacks: [],
  secretKeyFile: undefined,
  signatureLifetime: 2_592_000,
  timezone: 'UTC',
  workers: 1,
  startLocalWorkers: true,
  startTimeout: 10,
  logLevel: 'info',
  workerPool: 'prefork',
  workerPrefetchMultiplier: 4,
  workerSoftShutdownTimeout: 8,
  dashboard: false,
  scheduler: false,
}

describe('defaults', () => {
  test('are those that are documented', () => {
    const { root, logDir, workerConcurrency, ...rest } = loadConfig({ env: {} }).forChildren()

    expect(rest).toEqual(DEFAULTS)
    expect([root, logDir, workerConcurrency]).toEqual([process.cwd(), join(process.cwd(), '.celeriac'), availableParallelism()])
  })

  test('keep results where the broker is', () => {
    expect(loadConfig({ options: { broker: 'memory://x' }, env: {} }).resultBackend).toBe('memory://x')
    expect(loadConfig({ options: { broker: 'sqlite:jobs.db' }, env: {} }).resultBackend).toBe('sqlite:jobs.db')
    expect(loadConfig({ options: { broker: 'memory:', backend: 'sqlite:' }, env: {} }).resultBackend).toBe('sqlite:')
  })

  test.each(['sqlite:', 'memory:'])('start local workers in production for the embedded broker %s', (brokerUrl) => {
    expect(loadConfig({ options: { brokerUrl }, env: { NODE_ENV: 'production' } }).startLocalWorkers).toBe(true)
  })

  test('put logs below a root that was given', () => {
    expect(loadConfig({ options: { root: import.meta.dirname }, env: {} }).logDir).toBe(join(import.meta.dirname, '.celeriac'))
  })
})

describe('precedence', () => {
  const name: OptionName = 'taskDefaultQueue'
  const options = { taskDefaultQueue: 'of-constructor' }
  const inherited = { taskDefaultQueue: 'of-parent' }
  const env = { CELERY_TASK_DEFAULT_QUEUE: 'of-environment' }

  test.each<[ConfigSources, string, string]>([
    [{ options, inherited, env }, 'of-constructor', 'constructor'],
    [{ inherited, env }, 'of-parent', 'parent process'],
    [{ env }, 'of-environment', 'environment'],
    [{ env: {} }, 'celery', 'default'],
  ])('is constructor, parent process, environment, default (%#)', (sources, value, origin) => {
    const config = loadConfig(sources)

    expect(config[name]).toBe(value)
    expect(config.origin(name)).toBe(origin)
  })

  test('does not look at a value that a stronger source has decided', () => {
    const env = { CELERY_BROKER_URL: 'redis://localhost:6379', CELERY_WORKERS: 'true' }

    const config = loadConfig({ options: { broker: 'memory:' }, inherited: { workers: 2 }, env })

    expect([config.brokerUrl, config.workers]).toEqual(['memory:', 2])
  })

  test('takes an option that is undefined as not given', () => {
    expect(loadConfig({ options: { taskDefaultQueue: undefined }, env })[name]).toBe('of-environment')
  })

  test('gives a child process exactly what its parent has', () => {
    const parent = loadConfig({ options: { broker: 'sqlite:a.db', workers: ['foo'], app: './app.ts' }, env })

    const child = loadConfig({ inherited: JSON.parse(JSON.stringify(parent)) as Record<string, unknown>, env: { CELERY_BROKER_URL: 'memory:' } })

    expect(child.forChildren()).toEqual(parent.forChildren())
  })
})

describe('the environment', () => {
  test.each([['1', true], ['true', true], ['TRUE', true], ['yes', true], ['on', true], ['0', false], ['false', false], ['No', false], ['off', false]])(
    'takes %s for %s',
    (text, value) => {
      expect(loadConfig({ env: { CELERY_START_LOCAL_WORKERS: text } }).startLocalWorkers).toBe(value)
    },
  )

  test.each([
    ['2', 2],
    ['foo', ['foo']],
    ['foo,bar', ['foo', 'bar']],
    ['["foo", "bar"]', ['foo', 'bar']],
    ['{"foo": {"pool": "solo"}}', { foo: { pool: 'solo' } }],
  ])('describes workers as %s', (text, workers) => {
    expect(loadConfig({ env: { CELERY_WORKERS: text } }).workers).toEqual(workers)
  })

  test.each(['true', 'False', '0', '-1', '1.5', '{}', '[]', '"', 'a/b', 'foo,foo', '{"foo": 1}'])('describes no workers as %s', (text) => {
    expect(() => loadConfig({ env: { CELERY_WORKERS: text } })).toThrow(/^"CELERY_WORKERS(\.foo)?" in the environment /)
  })

  test('leaves an empty variable out', () => {
    expect(loadConfig({ env: { CELERY_BROKER_URL: '', CELERY_START_TIMEOUT: ' ' } }).forChildren()).toEqual(loadConfig({ env: {} }).forChildren())
  })

  test('only warns of a near miss, and says nothing of other names', () => {
    const { warnings } = loadConfig({ env: { CELERY_TASK_ALWAY_EAGER: '1', CELERIAC_BROKER_URL: 'memory:', CELERY_LOG_FILE: 'x', CELERY_X: '', BROKER_URL: 'x' } })

    expect(warnings).toEqual([
      '"CELERY_TASK_ALWAY_EAGER" in the environment is not an option and was ignored; did you mean "CELERY_TASK_ALWAYS_EAGER"?',
      '"CELERIAC_BROKER_URL" in the environment is not an option and was ignored; did you mean "CELERY_BROKER_URL"?',
    ])
  })

  test('warns of a Celery setting that is not available', () => {
    expect(loadConfig({ env: { CELERY_TASK_ROUTES: '{}' } }).warnings).toEqual([
      '"CELERY_TASK_ROUTES" in the environment is Celery\'s setting "task_routes", which is not available in this version. It was ignored.',
    ])
  })
})

describe('problems', () => {
  test('are all reported together, each with what was expected and what came', () => {
    const options = {
      brokerURL: 'sqlite:',
      concurrency: 2,
      zebra: 1,
      task_routes: {},
      CELERYBEAT_SCHEDULE: {},
      startTimeout: 'soon',
      workers: { foo: { concurency: 1, logLevel: 'loud' } },
      dashboard: true,
      taskSerializer: 'pickle',
    }

    expect(problemsOf({ options, env: { CELERY_TASK_DEFAULT_PRIORITY: 'high' } })).toEqual([
      '"brokerURL" is not an option; did you mean "brokerUrl"?',
      '"concurrency" is not an option; did you mean "workerConcurrency"?',
      '"zebra" is not an option; docs/configuration.md lists them all.',
      '"task_routes" is a Celery setting, which is not available in this version. Remove it.',
      '"CELERYBEAT_SCHEDULE" is Celery\'s setting "beat_schedule", which is not available in this version. Remove it.',
      '"startTimeout" must be more than 0 seconds as a number, or text such as "500ms", "10s", "5m" or "2h", not "soon".',
      '"workers.foo.concurency" is not an option; did you mean "concurrency"?',
      '"workers.foo.logLevel" must be one of "debug", "info", "warning", "error", "critical", not "loud".',
      '"dashboard" cannot be true: the dashboard is not available in this version. Leave it out or set it to false.',
      '"taskSerializer" cannot use "pickle": reading pickle would run code chosen by whoever wrote the message. Use "json", "msgpack" or "yaml".',
      '"CELERY_TASK_DEFAULT_PRIORITY" in the environment must be a whole number from 0 to 9, not "high".',
    ])
  })

  test.each(['redis://:hunter2@h/x', 'amqp://me:hunter2@h//', 'rediss://h?password=hunter2', 'nosuch://me:hunter2@h', 'me:hunter2@h'])(
    'never show the password of %s',
    (url) => {
      const problems = [
        ...problemsOf({ options: { brokerUrl: url, taskAlwaysEager: url, include: url, workers: [url], logLevel: url, startTimeout: url, taskSerializer: url } }),
        ...problemsOf({ env: { CELERY_BROKER_URL: url, CELERY_WORKER_POOL: url, CELERY_WORKERS: url, CELERY_BROKER_TRANSPORT_OPTIONS: url } }),
      ]

      expect(problems).toHaveLength(11)
      expect(problems.join('\n')).not.toContain('hunter2')
    },
  )

  test.each(['text', 7, ['a'], null])('are plain when the options are %j', (options) => {
    expect(problemsOf({ options: options as never, env: {} })[0] ?? 'none').toMatch(options === null ? /none/ : /^"options" must be an object of options, not /)
  })
})

describe('two spellings of one option', () => {
  test('that agree are fine', () => {
    expect(loadConfig({ options: { broker: 'memory:', CELERY_BROKER_URL: 'memory:' }, env: {} }).warnings).toEqual([])
  })

  test.each([{ BROKER_URL: 'memory://old', brokerUrl: 'memory://new' }, { brokerUrl: 'memory://new', BROKER_URL: 'memory://old' }])(
    'that disagree give one warning, and the newer one wins (%#)',
    (options) => {
      const config = loadConfig({ options, env: {} })

      expect(config.brokerUrl).toBe('memory://new')
      expect(config.warnings).toEqual(['"brokerUrl" and "BROKER_URL" say different things; "brokerUrl" is used.'])
    },
  )

  test('are settled in the environment too', () => {
    const config = loadConfig({ env: { CELERY_ALWAYS_EAGER: '1', CELERY_TASK_ALWAYS_EAGER: '0' } })

    expect(config.taskAlwaysEager).toBe(false)
    expect(config.warnings).toHaveLength(1)
  })
})

function problemsOf(sources: ConfigSources): readonly string[] {
  try {
    loadConfig({ env: {}, ...sources })
  } catch (error) {
    if (error instanceof ImproperlyConfigured) return error.problems
    throw error
  }
  return []
}
