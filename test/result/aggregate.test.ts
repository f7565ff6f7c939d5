import { expect, test } from 'vitest'
import { aggregateState } from '../../src/result/aggregate.ts'

const ORDER = ['PENDING', 'RECEIVED', 'STARTED', 'RETRY', 'REVOKED', 'FAILURE', 'SUCCESS']

const PAIRS = ORDER.flatMap((left, a) => ORDER.map((right, b) => [left, right, ORDER[Math.min(a, b)] ?? ''] as const))

test.each(PAIRS)('%s and %s make %s', (left, right, both) => {
  expect(aggregateState([left, right])).toBe(both)
})

test('no tasks are a success', () => {
  expect(aggregateState([])).toBe('SUCCESS')
})

test("a state of the task's own counts as started", () => {
  expect(aggregateState(['PROGRESS', 'SUCCESS'])).toBe('STARTED')
  expect(aggregateState(['PROGRESS', 'RETRY'])).toBe('STARTED')
  expect(aggregateState(['PROGRESS', 'PENDING'])).toBe('PENDING')
})
