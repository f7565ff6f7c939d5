import { expect, test } from 'vitest'
import { loadConfig } from '../../src/config/config.ts'
import { workerEntries } from '../../src/config/workers.ts'

test.each([
  [2, [['worker1', {}], ['worker2', {}]]],
  [['foo', 'bar'], [['foo', {}], ['bar', {}]]],
  [{ foo: { queues: ['high'] }, baz: {} }, [['foo', { queues: ['high'] }], ['baz', {}]]],
])('%j describes each worker by name', (workers, entries) => {
  expect(workerEntries(loadConfig({ options: { workers }, env: {} }).workers)).toEqual(entries)
})

test.each([
  [{ foo: { queues: [] } }, { foo: { queues: [] } }],
  [{ foo: { queues: 'a, b' } }, { foo: { queues: ['a', 'b'] } }],
  [{ foo: { loglevel: 'warn', concurrency: undefined } }, { foo: { logLevel: 'warning' } }],
])('%j is kept in one form', (workers, kept) => {
  expect(loadConfig({ options: { workers: workers as never }, env: {} }).workers).toEqual(kept)
})

test.each([
  [['foo', 'foo'], '"workers" names the worker "foo" twice.'],
  [['a b'], '"workers" must be names made of letters, digits, "_", "-", ".", "%" and "@", not "a b".'],
  [{ 'a/b': {} }, 'not "a/b".'],
  [{ foo: null }, '"workers.foo" must be an object of concurrency, queues, logLevel, pidfile, pool, not null.'],
  [{ foo: { pool: 'gevent' } }, '"workers.foo.pool" must be one of "prefork", "async", "solo", not "gevent".'],
  [0, '"workers" must be a whole number, at least 1, not 0.'],
])('%j is refused', (workers, problem) => {
  expect(() => loadConfig({ options: { workers: workers as never }, env: {} })).toThrow(problem)
})
