import { expect, test } from 'vitest'
import { nearest } from '../../src/config/nearest.ts'

const NAMES = ['brokerUrl', 'resultBackend', 'taskDefaultQueue', 'taskTrackStarted', 'workerConcurrency', 'main', 'app']

test.each([
  ['brokerURL', 'brokerUrl'],
  ['broker-url', 'brokerUrl'],
  ['CELERY_BROKER_URI', 'brokerUrl'],
  ['CELERIAC_BROKER_URL', 'brokerUrl'],
  ['resultsBackend', 'resultBackend'],
  ['concurrency', 'workerConcurrency'],
  ['zebra', undefined],
  ['xy', undefined],
  ['task', undefined],
])('%s is probably %s', (key, name) => {
  expect(nearest(key, NAMES)).toBe(name)
})

test.each([
  ['brokerUlr', 'brokerUrl'],
  ['taskDefaultQeue', 'taskDefaultQueue'],
  ['concurrency', undefined],
  ['taskDefaultQ', undefined],
  ['map', undefined],
])('%s is a slip of the fingers for %s', (key, name) => {
  expect(nearest(key, NAMES, 'strict')).toBe(name)
})
