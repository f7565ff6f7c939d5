import { afterEach, describe, expect, test, vi } from 'vitest'
import { TurnBatch } from '../../src/brokers/redis/turn-batch.ts'
import { turn } from '../support/within.ts'

describe('a batch', () => {
  test('holds what is added before the next callback, and no more', async () => {
    const sent: number[][] = []
    const batch = new TurnBatch<number>(async (items) => void sent.push(items))

    await Promise.all([batch.add(1), Promise.resolve().then(() => batch.add(2))])
    await batch.add(3)

    expect(sent).toEqual([[1, 2], [3]])
  })

  test('shares its failure with all who added something, and with nobody else', async () => {
    const batch = new TurnBatch<number>(async (items) => {
      if (items.includes(1)) throw new Error('refused')
    })

    const outcomes = await Promise.allSettled([batch.add(1), batch.add(2)])
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    await batch.add(3)
  })
})

describe('a batch of what nobody is in a hurry for', () => {
  afterEach(() => void vi.useRealTimers())

  test('waits for more, but not for long', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const sent: number[][] = []
    const batch = new TurnBatch<number>(async (items) => void sent.push(items), { gatherMs: 5 })

    void batch.add(1)
    await turn()
    const second = batch.add(2)
    vi.advanceTimersByTime(4)
    expect(sent).toEqual([])
    vi.advanceTimersByTime(1)
    await second

    expect(sent).toEqual([[1, 2]])
  })

  test('goes at once when it is told to', async () => {
    const sent: number[][] = []
    const batch = new TurnBatch<number>(async (items) => void sent.push(items), { gatherMs: 3_600_000 })

    const added = batch.add(1)
    batch.flush()
    await added
    batch.flush()

    expect(sent).toEqual([[1]])
  })

  test('is followed by the next as soon as its reply has come, if that was told to go', async () => {
    const sent: number[][] = []
    const reply = Promise.withResolvers<void>()
    const batch = new TurnBatch<number>((items) => (sent.push(items), reply.promise), { gatherMs: 3_600_000 })

    void batch.add(1)
    batch.flush()
    const second = batch.add(2)
    batch.flush()
    expect(sent).toEqual([[1]])
    reply.resolve()
    await second

    expect(sent).toEqual([[1], [2]])
  })
})
