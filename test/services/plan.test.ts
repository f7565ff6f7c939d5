import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'

import { type Config, loadConfig } from '../../src/config/config.ts'
import { ImproperlyConfigured } from '../../src/errors.ts'
import { expandNodeFormat, nodeNameOf, planWorkers, workerCommands } from '../../src/services/plan.ts'

const SEED_WORKERS = {
  foo: { concurrency: 10, loglevel: 'error', pidfile: '/var/run/celery/%n.pid', queues: ['low-priority', 'high-priority'] },
  bar: { concurrency: 5, loglevel: 'info', queues: ['high-priority'] },
}

describe('planWorkers', () => {
  test('names workers by number', () => {
    const plans = planWorkers(config({ workers: 2 }), 'h')

    expect(plans.map(({ nodeName }) => nodeName)).toEqual(['worker1@h', 'worker2@h'])
  })

  test('takes names as they are, in their order', () => {
    const plans = planWorkers(config({ workers: ['foo', 'bar@other', 'baz@%h'] }), 'h')

    expect(plans.map(({ nodeName }) => nodeName)).toEqual(['foo@h', 'bar@other', 'baz@h'])
  })

  test('gives each worker its own options and the common ones for the rest', () => {
    const [foo, baz] = planWorkers(config({ workers: { foo: SEED_WORKERS.foo, baz: { pool: 'async' } }, workerConcurrency: 3, logLevel: 'debug' }), 'h')

    expect(foo).toMatchObject({ concurrency: 10, logLevel: 'error', pool: 'prefork', pidfile: '/var/run/celery/foo.pid', queues: ['low-priority', 'high-priority'] })
    expect(baz).toMatchObject({ concurrency: 3, logLevel: 'debug', pool: 'async', pidfile: undefined })
  })

  test('makes a worker without queues one for any task', () => {
    const plans = planWorkers(config({ workers: { ...SEED_WORKERS, baz: {} } }), 'h')

    expect(plans.map(({ queues }) => queues)).toEqual([
      ['low-priority', 'high-priority'],
      ['high-priority'],
      ['celery', 'low-priority', 'high-priority'],
    ])
  })

  test('takes the default queue only when the worker asks for it alone', () => {
    const [only] = planWorkers(config({ workers: { only: { queues: ['celery'] }, bar: SEED_WORKERS.bar } }), 'h')

    expect(only?.queues).toEqual(['celery'])
  })

  test('puts logs into the log directory under the worker’s name', () => {
    const conf = config({ workers: ['foo', 'bar@other'], logDir: 'logs' })

    expect(planWorkers(conf, 'h').map(({ logFile }) => logFile)).toEqual([join(resolve('logs'), 'foo.log'), join(resolve('logs'), 'bar@other.log')])
  })

  test('refuses two workers of one name', () => {
    expect(() => planWorkers(config({ workers: ['foo', 'foo@h'] }), 'h')).toThrow(ImproperlyConfigured)
  })
})

describe('workerCommands', () => {
  test('says the same as command lines', () => {
    expect(workerCommands(config({ workers: SEED_WORKERS }))).toEqual([
      'celeriac worker -n foo@%h --concurrency=10 --loglevel=error --pidfile=/var/run/celery/%n.pid --queues=low-priority,high-priority',
      'celeriac worker -n bar@%h --concurrency=5 --loglevel=info --queues=high-priority',
    ])
  })

  test('leaves out what is left to its default', () => {
    expect(workerCommands(config({ workers: 2 }))).toEqual(['celeriac worker -n worker1@%h', 'celeriac worker -n worker2@%h'])
  })

  test('names the siblings’ queues for a worker for any task', () => {
    expect(workerCommands(config({ workers: { a: { queues: ['x y'] }, b: {} } }))).toEqual([
      "celeriac worker -n a@%h '--queues=x y'",
      "celeriac worker -n b@%h '--queues=celery,x y'",
    ])
  })
})

describe('names', () => {
  test.each([
    ['foo', 'web1.example.org', 'foo@web1.example.org'],
    ['foo@%n', 'web1.example.org', 'foo@web1'],
    ['foo@%d', 'web1.example.org', 'foo@example.org'],
    ['100%%@x', 'h', '100%@x'],
  ])('expands %s on %s', (name, host, expected) => {
    expect(nodeNameOf(name, host)).toBe(expected)
  })

  test.each([
    ['/run/%n.pid', '/run/foo.pid'],
    ['/run/%p.pid', '/run/foo@web1.example.org.pid'],
    ['/run/%h/%d/%x', '/run/web1.example.org/example.org/%x'],
  ])('expands %s in a file name', (text, expected) => {
    expect(expandNodeFormat(text, 'foo@web1.example.org')).toBe(expected)
  })
})

function config(options: Record<string, unknown>): Config {
  return loadConfig({ options, env: {} })
}
