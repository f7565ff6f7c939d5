import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { type Config, loadConfig } from '../../src/config/config.ts'
import { ImproperlyConfigured } from '../../src/errors.ts'

describe('assignment', () => {
  test('takes effect at once and is checked', () => {
    const config = loadConfig({ env: {} })

    config.taskDefaultQueue = 'mail'

    expect(config.taskDefaultQueue).toBe('mail')
    expect(config.origin('taskDefaultQueue')).toBe('options object')
    expect(() => (config.taskDefaultPriority = 11)).toThrow('"taskDefaultPriority" must be a whole number from 0 to 9, not 11.')
    expect(config.taskDefaultPriority).toBe(0)
  })

  test('moves the defaults that follow it', () => {
    const config = loadConfig({ env: {} })

    config.brokerUrl = 'memory:'

    expect(config.resultBackend).toBe('memory:')
  })

  test('cannot invent options or change a list from inside', () => {
    const config = loadConfig({ options: { include: ['./a.ts'], workers: { foo: {} } }, env: {} })

    expect(() => Object.assign(config, { taskDefaultQeue: 'mail' })).toThrow(TypeError)
    expect(() => (config.include as string[]).push('./b.ts')).toThrow(TypeError)
    expect(() => Object.assign((config.workers as Record<string, object>)['foo'] ?? {}, { concurrency: 0 })).toThrow(TypeError)
  })
})

describe('update', () => {
  test('takes every era of Celery’s names out of the configuration of a web application', () => {
    const config = loadConfig({ env: {} })

    config.update({
      SECRET_KEY: 'x', DEBUG: true, TIMEZONE: 7, ROOT: 7, S3_BUCKET: 'uploads', DATABASE_URL: 'postgres://u:p@h', port: 3000, databaseUrl: 'x',
      CELERY_TASK_ALWAYS_EAGER: true, CELERYD_CONCURRENCY: 3, BROKER_URL: 'memory:', task_default_queue: 'mail', resultExpires: '1h',
    })

    const changed = config.report().filter(({ origin }) => origin !== 'default')
    expect(Object.fromEntries(changed.map(({ name, value }) => [name, value]))).toEqual({
      taskAlwaysEager: true, workerConcurrency: 3, brokerUrl: 'memory:', taskDefaultQueue: 'mail', resultExpires: 3600,
    })
    expect(config.warnings).toEqual([])
  })

  test('warns of near misses of Celery’s names', () => {
    const config = loadConfig({ env: {} })

    config.update({ CELERY_TASK_ALWAY_EAGER: true, taskDefaultQeue: 'mail', CELERY_WHATEVER: 1 })

    expect(config.warnings).toEqual([
      '"CELERY_TASK_ALWAY_EAGER" is not an option and was ignored; did you mean "CELERY_TASK_ALWAYS_EAGER"?',
      '"taskDefaultQeue" is not an option and was ignored; did you mean "taskDefaultQueue"?',
    ])
    expect(config.taskAlwaysEager).toBe(false)
  })

  test('changes nothing when anything is wrong', () => {
    const config = loadConfig({ env: {} })

    expect(() => config.update({ CELERY_DEFAULT_QUEUE: 'mail', CELERY_WORKERS: true, CELERY_ROUTES: {} })).toThrow(
      'The configuration has 2 problems:\n  - "CELERY_WORKERS" must be a number of workers (at least 1), a list of names, or an object of names and their options, not true.\n' +
        '  - "CELERY_ROUTES" is Celery\'s setting "task_routes", which is not available in this version. Remove it.',
    )
    expect(config.taskDefaultQueue).toBe('celery')
  })

  test('wins over everything, unless what the constructor was given is to stay', () => {
    const config = loadConfig({ options: { taskDefaultQueue: 'constructor' }, env: { CELERY_MAIN: 'environment' } })

    config.update({ taskDefaultQueue: 'updated', main: 'updated' }, { keepConstructor: true })
    expect([config.taskDefaultQueue, config.main]).toEqual(['constructor', 'updated'])

    config.update({ taskDefaultQueue: 'updated' })
    expect(config.taskDefaultQueue).toBe('updated')
  })

  test('takes the production example as it is documented for Flask', () => {
    class ProdConfig {
      static ENV = 'development'
      static CELERY_WORKERS = ['foo', 'bar']
      static CELERY_START_LOCAL_WORKERS = false
      static CELERY_FLOWER = false
      static CELERY_SCHEDULER = false
    }

    const config = updated(ProdConfig)

    expect(config).toMatchObject({ workers: ['foo', 'bar'], startLocalWorkers: false, dashboard: false, scheduler: false })
  })

  test('takes the development example, also through a class that extends it', () => {
    class DevConfig {
      static ENV = 'development'
      static CELERY_WORKERS = 2
    }
    class MyConfig extends DevConfig {}

    expect(updated(MyConfig)).toMatchObject({ workers: 2, startLocalWorkers: true, taskAlwaysEager: false })
  })

  test('takes the testing example, also as an instance', () => {
    class TestConfig {
      ENV = 'testing'
      CELERY_ALWAYS_EAGER = true
    }

    expect(updated(new TestConfig()).taskAlwaysEager).toBe(true)
  })

  test('takes the example of workers with options', () => {
    const foo = { concurrency: 10, loglevel: 'error', pidfile: '/var/run/celery/%n.pid', queues: ['low-priority', 'high-priority'] }
    const bar = { concurrency: 5, loglevel: 'info', queues: ['high-priority'] }

    expect(updated({ CELERY_WORKERS: { foo, bar, baz: {} } }).workers).toEqual({
      foo: { concurrency: 10, logLevel: 'error', pidfile: '/var/run/celery/%n.pid', queues: ['low-priority', 'high-priority'] },
      bar: { concurrency: 5, logLevel: 'info', queues: ['high-priority'] },
      baz: {},
    })
  })
})

describe('freeze', () => {
  test('makes every later change an error that says when it must be made', () => {
    const config = loadConfig({ env: {} })

    config.freeze()
    config.freeze()

    const message = '"taskDefaultQueue" can no longer be changed: it must be set before the application first sends, starts or runs anything.'
    expect(() => (config.taskDefaultQueue = 'mail')).toThrow(new ImproperlyConfigured([message]))
    expect(() => config.update({ CELERY_DEFAULT_QUEUE: 'mail' })).toThrow(new ImproperlyConfigured([message]))
    expect(config.taskDefaultQueue).toBe('celery')
  })

  test('lets a configuration without any option of ours be poured in', () => {
    const config = loadConfig({ env: {} })
    config.freeze()

    expect(() => config.update({ SECRET_KEY: 'x' })).not.toThrow()
  })
})

describe('report', () => {
  test('names every option once, with its value and its origin', () => {
    const config = loadConfig({ options: { workers: 2 }, inherited: { main: 'shop' }, env: { CELERY_LOG_LEVEL: 'debug' } })
    config.taskAcksLate = false

    const lines = config.report()

    expect(lines.map(({ name }) => name)).toEqual(Object.keys(config.forChildren()))
    expect(lines.filter(({ origin }) => origin !== 'default')).toEqual([
      { name: 'main', value: 'shop', origin: 'parent process' },
      { name: 'taskAcksLate', value: false, origin: 'options object' },
      { name: 'workers', value: 2, origin: 'constructor' },
      { name: 'logLevel', value: 'debug', origin: 'environment' },
    ])
  })

  test('is what people see when they print the configuration', () => {
    const shown = inspect(loadConfig({ options: { taskDefaultQueue: 'amqp://me:hunter2@h' }, env: {} }))

    expect(shown).toContain("taskDefaultQueue: 'amqp://me:***@h'")
    expect(shown).not.toContain('hunter2')
  })
})

function updated(values: object): Config {
  const config = loadConfig({ env: {} })
  config.update(values)
  expect(config.warnings).toEqual([])
  return config
}
