import { describe, expect, test } from 'vitest'

import { childEnvironment, childExecArgv, isServiceProcess } from '../../src/internal/child-environment.ts'

describe('childExecArgv', () => {
  test('keeps loaders, conditions and limits with their values', () => {
    const execArgv = ['--import', 'tsx', '--require=./hook.cjs', '-r', './x.cjs', '--loader', 'l', '-C', 'dev', '--max-old-space-size=100', '--env-file=.env']

    expect(childExecArgv(execArgv)).toEqual(execArgv)
  })

  test.each([
    [['--watch']],
    [['--watch-path', './src']],
    [['--watch-path=./src', '--watch-preserve-output']],
    [['--inspect']],
    [['--inspect-brk=127.0.0.1:9229']],
    [['--inspect-port', '0']],
    [['--test', '--test-name-pattern', 'x']],
    [['--experimental-test-coverage', '--test-coverage-include=src']],
    [['-e', '-1 + 1']],
    [['-pe', 'process.pid']],
    [['-p', 'process.pid']],
    [['--eval', 'x']],
    [['--print', 'x']],
    [['-i']],
    [['--input-type=module']],
    [['--input-type', 'module']],
    [['-c']],
  ])('drops %j', (own) => {
    expect(childExecArgv(['--no-warnings', ...own, '--import', './loader.ts'])).toEqual(['--no-warnings', '--import', './loader.ts'])
  })
})

describe('childEnvironment', () => {
  test('drops what belongs to the parent alone and keeps the rest', () => {
    const channel = { NODE_CHANNEL_FD: '3', NODE_CHANNEL_SERIALIZATION_MODE: 'json', NODE_UNIQUE_ID: '1' }
    const tests = { VITEST: 'true', VITEST_POOL_ID: '1', NODE_TEST_CONTEXT: 'child' }
    const env = { PATH: '/bin', CELERY_WORKERS: '2', WATCH_REPORT_DEPENDENCIES: '1', ...channel, ...tests }

    expect(childEnvironment('worker', env)).toEqual({ PATH: '/bin', CELERY_WORKERS: '2', CELERIAC_ROLE: 'worker' })
  })

  test('takes the debugger out of NODE_OPTIONS', () => {
    expect(childEnvironment('worker', { NODE_OPTIONS: '--inspect=0 --import tsx' })).toMatchObject({ NODE_OPTIONS: '--import tsx' })
  })

  test('leaves NODE_OPTIONS with quotes as they are', () => {
    expect(childEnvironment('pool', { NODE_OPTIONS: '--import "/a b/c.js"' })).toEqual({ NODE_OPTIONS: '--import "/a b/c.js"', CELERIAC_ROLE: 'pool' })
  })

  test('marks the child, whatever the parent was', () => {
    expect(isServiceProcess(childEnvironment('worker', {}))).toBe(true)
    expect(isServiceProcess(childEnvironment('pool', { CELERIAC_ROLE: 'worker' }))).toBe(true)
    expect(isServiceProcess({})).toBe(false)
  })
})
