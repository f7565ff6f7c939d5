import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { RedisChordStore, type ChordPart } from '../../src/backends/redis/chord-store.ts'
import { ResultKeys } from '../../src/backends/redis/keys.ts'
import { parseRedisUrl } from '../../src/internal/redis/address.ts'
import { systemClock } from '../../src/internal/clock.ts'
import { silentLogger } from '../../src/internal/logger.ts'
import { RedisConnection } from '../../src/internal/redis/connection.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { describeRedis, sharedRedis, type TestRedisClient } from '../support/redis-server.ts'

failOnLeftovers()

const DAY_MS = 86_400_000

describeRedis('chord store redis', () => {
  let connection: RedisConnection
  let client: TestRedisClient
  let chords: RedisChordStore
  let unordered: RedisChordStore

  beforeEach(async () => {
    const url = await sharedRedis().freshUrl()
    const options = { connectionTimeoutMs: 4000, clock: systemClock, logger: silentLogger }
    connection = new RedisConnection({ name: 'The result backend', address: parseRedisUrl(url), ...options })
    await connection.connect()
    client = await sharedRedis().client(url)
    chords = new RedisChordStore(connection, { keys: new ResultKeys() })
    unordered = new RedisChordStore(connection, { keys: new ResultKeys(), isOrdered: false })
  })

  afterEach(async () => {
    client.destroy()
    await connection.close()
  })

  test.each(captures())('keeps what Python keeps while a chord is under way: $file', async ({ groups }) => {
    for (const { groupId, isOrdered, parts, size } of groups) {
      const store = isOrdered ? chords : unordered
      if (size !== undefined) await store.setSize(groupId, size, DAY_MS)
      // Members end in any order.
      for (const part of isOrdered ? parts.toReversed() : parts) await store.addPart(part, DAY_MS)
    }

    for (const { groupId, isOrdered, parts, raw, size } of groups) {
      const key = `celery-taskset-meta-${groupId}`
      const kept = isOrdered ? await client.zRangeWithScores(`${key}.j`, 0, -1) : (await client.lRange(`${key}.j`, 0, -1)).map((value) => ({ value }))
      expect(kept).toEqual(raw.map((value, index) => (isOrdered ? { value, score: parts[index]?.index ?? Infinity } : { value })))
      expect(await client.get(`${key}.s`)).toBe(size === undefined ? null : String(size))
      expect(await (isOrdered ? chords : unordered).parts(groupId)).toEqual(raw)
      for (const suffix of size === undefined ? ['.j'] : ['.j', '.s']) {
        expect(Math.abs((await client.ttl(`${key}${suffix}`)) - DAY_MS / 1000)).toBeLessThanOrEqual(1)
      }
    }
  })

  test('counts the parts, and knows the size once it was said', async () => {
    expect(await chords.addPart(part('a', 0))).toEqual({ count: 1, size: undefined })
    await chords.setSize('g', 3)
    expect(await chords.addPart(part('b', 2))).toEqual({ count: 2, size: 3 })
    expect(await chords.addPart(part('c', undefined))).toEqual({ count: 3, size: 3 })

    expect(await client.ttl('celery-taskset-meta-g.j')).toBe(-1)
    expect(await client.ttl('celery-taskset-meta-g.s')).toBe(-1)
  })

  test('counts members that are added later', async () => {
    await chords.setSize('g', 1)
    await chords.addMember('g')
    await chords.addMember('g')

    expect(await chords.addPart(part('a', 0), DAY_MS)).toEqual({ count: 1, size: 3 })
    expect(await client.ttl('celery-taskset-meta-g.t')).toBeGreaterThan(86_000)
  })

  test.each([0, undefined])('counts a member at the place %s once, however often it runs and whatever it returns', async (index) => {
    await chords.addPart(part('a', index, '"first"'))
    await chords.addPart(part('a"', index, '"another member"'))

    expect(await chords.addPart(part('a', index, '"second"'))).toMatchObject({ count: 2 })

    expect(await chords.parts('g')).toContain('[1, "a", "SUCCESS", "first"]')
    expect(await chords.parts('g')).not.toContain('[1, "a", "SUCCESS", "second"]')
  })

  test('counts a part once in the order of completion too', async () => {
    await unordered.addPart(part('b', 1))
    await unordered.addPart(part('a', 0))

    expect(await unordered.addPart(part('b', 1))).toMatchObject({ count: 2 })

    expect(await unordered.parts('g')).toEqual(['[1, "b", "SUCCESS", 1]', '[1, "a", "SUCCESS", 1]'])
  })

  test('tells exactly one of many that end at once that all have', async () => {
    await chords.setSize('g', 500)

    const progress = await Promise.all(Array.from({ length: 500 }, (_, index) => chords.addPart(part(`id-${index}`, index))))

    expect(progress.filter(({ count, size }) => count === size)).toHaveLength(1)
  })

  test('tells of the size those who listen, as Python does', async () => {
    const heard = Promise.withResolvers<string>()
    const subscriber = await sharedRedis().client()
    await subscriber.subscribe('celery-taskset-meta-of-a-size.s', heard.resolve)

    await chords.setSize('of-a-size', 12)

    expect(await heard.promise).toBe('12')
    subscriber.destroy()
  })

  test('forgets a chord', async () => {
    await chords.setSize('g', 1)
    await chords.addMember('g')
    await chords.addPart(part('a', 0))

    await chords.clear('g')
    await chords.clear('g')

    expect(await client.dbSize()).toBe(0)
    expect(await chords.parts('g')).toEqual([])
  })
})

function part(taskId: string, index: number | undefined, resultText: string = '1'): ChordPart {
  return { groupId: 'g', index, taskId, state: 'SUCCESS', resultText }
}

interface Captured {
  readonly type: string
  readonly raw?: string
  readonly members?: readonly { readonly score: number | string; readonly raw: string }[]
  readonly items?: readonly string[]
}

type Keys = Readonly<Record<string, Captured>>

interface CapturedGroup {
  readonly groupId: string
  readonly isOrdered: boolean
  readonly parts: ChordPart[]
  readonly raw: string[]
  readonly size: number | undefined
}

/** The chords under way in every capture that has some. */
function captures(): { file: string; groups: CapturedGroup[] }[] {
  const folder = join(import.meta.dirname, '../golden/results')
  const own = ['chord', 'chord_nested', 'chord_unordered', 'chord_complex_header', 'chord_header_failure', 'chord_header_chain_failure']
  return [...own, 'celery56_chord', 'celery56_chord_nested'].map((name) => {
    const capture = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as { during?: Keys; keys?: Keys }
    const keys = capture.during ?? capture.keys ?? {}
    return { file: name, groups: Object.keys(keys).flatMap((key) => (key.endsWith('.j') ? [groupOf(key, keys)] : [])) }
  })
}

function groupOf(key: string, keys: Keys): CapturedGroup {
  const groupId = key.replace('celery-taskset-meta-', '').replace('.j', '')
  const { members, items = [] } = keys[key] ?? {}
  const raw = members?.map((member) => member.raw) ?? [...items]
  const scores = members?.map(({ score }) => (Number.isFinite(Number(score)) ? Number(score) : undefined)) ?? []
  const size = keys[key.replace('.j', '.s')]?.raw
  const parts = raw.map((text, at) => partOf(groupId, text, scores[at]))
  return { groupId, isOrdered: members !== undefined, parts, raw, size: size === undefined ? undefined : Number(size) }
}

/** Takes a captured part to pieces, the result as the very text that it is. */
function partOf(groupId: string, text: string, index: number | undefined): ChordPart {
  const [, taskId = '', state = '', resultText = ''] = /^\[1, "([^"]*)", "([^"]*)", (.*)\]$/s.exec(text) ?? []
  return { groupId, index, taskId, state, resultText }
}
