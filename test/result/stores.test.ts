import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ResultBackend } from '../../src/backend.ts'
import { openBackend } from '../../src/backends/open.ts'
import { systemClock } from '../../src/internal/clock.ts'
import { silentLogger } from '../../src/internal/logger.ts'
import { encodeException } from '../../src/protocol/exception.ts'
import { encodeResultMeta } from '../../src/protocol/result.ts'
import { FuturePool } from '../../src/result/future-pool.ts'
import { Future } from '../../src/result/future.ts'
import type { ResultSource } from '../../src/result/source.ts'
import { onRedis, storeUrl } from '../support/store.ts'
import { within } from '../support/within.ts'

describe.each(onRedis ? ['redis'] : ['memory://futures', 'sqlite:results.db'])('futures over %s', (store) => {
  let root: string
  let backend: ResultBackend

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'celeriac-result-'))
    const url = onRedis ? storeUrl(root) : store
    backend = openBackend(url, { root, clock: systemClock, logger: silentLogger, connectionTimeoutMs: 4_000 })
    await backend.connect()
  })

  afterEach(async () => {
    await backend.close()
    await rm(root, { recursive: true })
  })

  test('get the result of a task that ends while they wait', async () => {
    const source = sourceOver(backend)
    const results = Promise.all(['early', 'late'].map((id) => new Future<string>(source, id).result({ timeout: 5 })))

    await put(backend, 'early', 'SUCCESS', '"early"')
    await put(backend, 'late', 'STARTED', 'null')
    await put(backend, 'late', 'SUCCESS', '"late"')

    expect(await within(results, 'both results')).toEqual(['early', 'late'])
  })

  test('reject with the error that a task threw', async () => {
    const { text, traceback } = encodeException(new RangeError('too wide'))
    await put(backend, 'a', 'FAILURE', text, traceback)

    const error = await new Future(sourceOver(backend), 'a').exception({ timeout: 5 })

    expect(error).toBeInstanceOf(RangeError)
    expect(error?.message).toBe('too wide')
    expect(error?.stack).toContain('stores.test.ts')
  })

  test('cancel a task once and for all', async () => {
    const future = new Future(sourceOver(backend), 'a')

    expect(await future.cancel()).toBe(true)
    await put(backend, 'a', 'SUCCESS', '3')

    expect(await new Future(sourceOver(backend), 'a').state()).toBe('REVOKED')
  })

  test('are saved as a pool and found by its id', async () => {
    const source = sourceOver(backend)
    const ids = ['a', 'b', 'c']
    await new FuturePool(source, 'pool', ids.map((id) => new Future(source, id))).save()
    for (const id of ids) await put(backend, id, 'SUCCESS', JSON.stringify(id))

    const seen: unknown[] = []
    for await (const future of new FuturePool(source, 'pool').asCompleted({ timeout: 5 })) seen.push(await future.result())

    expect(new Set(seen)).toEqual(new Set(ids))
  })
})

async function put(backend: ResultBackend, taskId: string, status: string, resultText: string, traceback: string | null = null): Promise<void> {
  const text = encodeResultMeta({ taskId, status, resultText, traceback, dateDoneMs: Date.now() })
  await backend.store({ taskId, status, text })
}

function sourceOver(backend: ResultBackend): ResultSource {
  return {
    backend,
    clock: systemClock,
    decodeResult: (_taskId, stored) => stored,
    connected: () => backend.connect(),
    revoke: () => Promise.resolve(),
    explain: () => Promise.resolve('nobody runs it.'),
    reportError: (error) => expect.unreachable(String(error)),
    expiresAtMs: () => undefined,
  }
}
