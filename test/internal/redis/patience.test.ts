import { expect, test } from 'vitest'
import { Patience } from '../../../src/internal/redis/patience.ts'

const never = new Promise<never>(() => {})

async function timeOf(step: () => Promise<unknown>): Promise<number> {
  const fromMs = performance.now()
  await step()
  return performance.now() - fromMs
}

test('waits for several steps without an answer no longer than for one', async () => {
  const patience = new Patience(400)

  const taken = await timeOf(async () => {
    expect(await patience.wait(never, 'half')).toBe(false)
    await Promise.all([patience.wait(never), patience.wait(never)])
    expect(await patience.wait(never)).toBe(false)
  })

  expect(taken).toBeGreaterThan(380)
  expect(taken).toBeLessThan(700)
})

test('has all of its time again after an answer', async () => {
  const patience = new Patience(400)
  await patience.wait(never, 'half')
  expect(patience.leftMs).toBeLessThan(201)

  expect(await patience.wait(Promise.resolve())).toBe(true)

  expect(patience.leftMs).toBe(400)
})

test('takes no failure for an answer', async () => {
  const patience = new Patience(400)
  await patience.wait(never, 'half')

  expect(await patience.wait(Promise.reject(new Error('lost')))).toBe(true)

  expect(patience.leftMs).toBeLessThan(201)
})

test('waits four seconds at most', () => {
  expect(new Patience(60_000).leftMs).toBe(4000)
})
