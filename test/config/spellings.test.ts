import { describe, expect, expectTypeOf, test } from 'vitest'
import { environmentSpellings, spellings } from '../../src/config/aliases.ts'
import type { CeleryOptions, OptionName } from '../../src/config/celery-options.ts'
import { loadConfig } from '../../src/config/config.ts'
import { OPTION_NAMES, OPTIONS } from '../../src/config/options.ts'
import { ImproperlyConfigured } from '../../src/errors.ts'
import { SAMPLES } from './samples.ts'

describe.each(OPTION_NAMES)('the option %s', (name) => {
  const { written, text, inForce, wrong } = SAMPLES[name]

  test.each(spellings(name))('can be written as %s', (spelling) => {
    const config = loadConfig({ options: { [spelling]: written }, env: {} })

    expect(config[name]).toEqual(inForce)
    expect(config.origin(name)).toBe('constructor')
    expect(config.warnings).toEqual([])
  })

  test.each(environmentSpellings(name))('is read from %s in the environment', (variable) => {
    const config = loadConfig({ env: { [variable]: text } })

    expect(config[name]).toEqual(inForce)
    expect(config.origin(name)).toBe('environment')
    expect(config.warnings).toEqual([])
  })

  test('is refused by name with a wrong value, however it is written', () => {
    for (const spelling of spellings(name)) {
      const error = thrownBy(() => loadConfig({ options: { [spelling]: wrong }, env: {} }))

      expect(error.problems).toEqual([expect.stringMatching(new RegExp(`^"${spelling}(\\.\\w+)?" `))])
    }
  })

  test('has a default that its own check accepts', () => {
    const config = loadConfig({ env: {} })

    expect(config.origin(name)).toBe('default')
    expect(loadConfig({ options: { [name]: config[name] }, env: {} })[name]).toEqual(config[name])
  })

  test('is told apart from its near misses', () => {
    const error = thrownBy(() => loadConfig({ options: { [`${name}x`]: written }, env: {} }))

    expect(error.message).toBe(`"${name}x" is not an option; did you mean "${name}"?`)
  })
})

test('Celery’s names of all times mean the options of today', () => {
  const expected: [OptionName, string[]][] = [
    ['brokerUrl', ['broker', 'BROKER_URL', 'CELERY_BROKER_URL', 'broker_url']],
    ['resultBackend', ['backend', 'result_backend', 'CELERY_RESULT_BACKEND']],
    ['brokerConnectionTimeout', ['BROKER_CONNECTION_TIMEOUT']],
    ['brokerTransportOptions', ['BROKER_TRANSPORT_OPTIONS']],
    ['include', ['imports', 'CELERY_IMPORTS', 'CELERY_INCLUDE']],
    ['taskAlwaysEager', ['alwaysEager', 'CELERY_ALWAYS_EAGER', 'CELERY_TASK_ALWAYS_EAGER', 'task_always_eager']],
    ['taskEagerPropagates', ['CELERY_EAGER_PROPAGATES_EXCEPTIONS']],
    ['taskDefaultQueue', ['CELERY_DEFAULT_QUEUE']],
    ['taskAcksLate', ['CELERY_ACKS_LATE']],
    ['resultExpires', ['CELERY_TASK_RESULT_EXPIRES', 'result_expires']],
    ['timezone', ['CELERY_TIMEZONE']],
    ['logLevel', ['loglevel', 'CELERY_LOG_LEVEL']],
    ['workerConcurrency', ['CELERYD_CONCURRENCY', 'worker_concurrency']],
    ['workerPool', ['CELERYD_POOL']],
    ['workerPrefetchMultiplier', ['CELERYD_PREFETCH_MULTIPLIER']],
    ['dashboard', ['flower', 'CELERY_FLOWER']],
    ['scheduler', ['CELERY_SCHEDULER']],
  ]
  for (const [name, names] of expected) expect(spellings(name)).toEqual(expect.arrayContaining(names))
})

test('no spelling stands for two options', () => {
  const all = OPTION_NAMES.flatMap((name) => [...new Set([...spellings(name), ...environmentSpellings(name)])])

  expect(all.length).toBe(new Set(all).size)
})

test('the web application comes from CELERIAC_APP only, for Python’s Celery has a CELERY_APP of its own', () => {
  expect(environmentSpellings('app')).toEqual(['CELERIAC_APP'])
  expect(loadConfig({ env: { CELERY_APP: 'proj' } }).app).toBeUndefined()
})

test('every option of the table can be typed by users', () => {
  expectTypeOf<OptionName>().toExtend<keyof CeleryOptions>()
  expect(Object.values(OPTIONS).every(({ meaning }) => meaning.endsWith('.'))).toBe(true)
})

function thrownBy(work: () => unknown): ImproperlyConfigured {
  try {
    work()
  } catch (error) {
    if (error instanceof ImproperlyConfigured) return error
    throw error
  }
  throw new Error('Nothing was thrown.')
}
