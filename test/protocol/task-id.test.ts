import { expect, test } from 'vitest'
import { newTaskId, PROCESS_MARK } from '../../src/protocol/task-id.ts'

const UUID_7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

test('is a UUID of version 7 that begins with the time', () => {
  expect(newTaskId(0x0189_abcd_ef01)).toMatch(/^0189abcd-ef01-7/)
  expect(newTaskId(0x0189_abcd_ef01 + 0.9)).toMatch(UUID_7)
  expect(newTaskId(5)).toMatch(/^00000000-0005-7/)
})

test('sorts by the time it was made, and is never given twice', () => {
  const times = Array.from({ length: 50 }, (_, index) => 1_700_000_000_000 + index * 977)
  const ids = times.map(newTaskId)
  expect(ids.toSorted()).toEqual(ids)
  expect(new Set(Array.from({ length: 10_000 }, () => newTaskId(1_700_000_000_000))).size).toBe(10_000)
})

test('has any digit in any place that is random', () => {
  const ids = Array.from({ length: 2000 }, () => newTaskId(1_700_000_000_000))

  const seen = Array.from({ length: 36 }, (_, place) => new Set(ids.map((id) => id[place])).size)

  expect(seen).toEqual([...Array.from({ length: 15 }, () => 1), 16, 16, 16, 1, 4, 16, 16, 16, 1, 16, 16, 16, 16, ...Array.from({ length: 8 }, () => 1)])
  expect(ids.every((id) => id.endsWith(PROCESS_MARK))).toBe(true)
})
