import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ResultBackend, StoredResult } from '../../src/backend.ts'
import type { Clock } from '../../src/internal/clock.ts'
import type { State } from '../../src/states.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { StoreProcess } from '../support/store-process.ts'
import { turn, within } from '../support/within.ts'

/** One store, empty at first, that a test opens as often as it likes. */
export interface BackendFixture {
  /** A new connection, connected. */
  open(options?: { clock?: Clock }): Promise<ResultBackend>
  /** Where other processes find the same store; undefined when they cannot. */
  readonly shared: { readonly url: string; readonly root: string } | undefined
  /** Closes what is open and removes the store. */
  dispose(): Promise<void>
}

/** Holds a driver to the promises of `ResultBackend`. */
export function testBackend(name: string, setUp: () => Promise<BackendFixture>): void {
  describe(`result backend ${name}`, () => {
    let fixture: BackendFixture
    let backend: ResultBackend

    beforeEach(async () => {
      fixture = await setUp()
      backend = await fixture.open()
    })

    afterEach(() => fixture.dispose())

    test('gives back what was stored, byte for byte', async () => {
      const stored = { ...record('a', 'SUCCESS', '{"result": "é\u{1f980}\\u0000", "n": 1e400 }'), expiresAtMs: Date.now() + 60_000 }

      expect(await backend.store(stored)).toBe(true)

      expect(await backend.get('a')).toEqual(stored)
      expect(await backend.get('b')).toBeUndefined()
    })

    test('connects once however often it is asked, and closes twice', async () => {
      await backend.connect()

      await Promise.all([backend.close(), backend.close()])
      await backend.close()

      await expect(backend.get('a')).rejects.toThrow('closed')
    })

    test('gives the stored ones among many', async () => {
      await Promise.all(numbers(1200).map((id) => backend.store(record(id, 'SUCCESS'))))

      const found = await backend.getMany([...numbers(1200), 'missing'])

      expect(found.map(({ taskId }) => taskId).sort()).toEqual(numbers(1200).sort())
      expect(await backend.getMany([])).toEqual([])
    })

    const transitions: [stored: State, next: State, allowed: boolean][] = [
      ['STARTED', 'RETRY', true],
      ['STARTED', 'PROGRESS', true],
      ['RETRY', 'STARTED', true],
      ['STARTED', 'SUCCESS', true],
      ['FAILURE', 'SUCCESS', true],
      ['FAILURE', 'FAILURE', true],
      ['FAILURE', 'REVOKED', true],
      ['FAILURE', 'STARTED', false],
      ['FAILURE', 'RETRY', false],
      ['SUCCESS', 'SUCCESS', false],
      ['SUCCESS', 'FAILURE', false],
      ['SUCCESS', 'STARTED', false],
      ['REVOKED', 'SUCCESS', false],
      ['REVOKED', 'STARTED', false],
      ['REVOKED', 'FAILURE', false],
    ]
    test.each(transitions)('over %s a store of %s resolves to %s', async (stored, next, allowed) => {
      await backend.store(record('a', stored, 'old'))

      expect(await backend.store(record('a', next, 'new'))).toBe(allowed)

      expect((await backend.get('a'))?.text).toBe(allowed ? 'new' : 'old')
    })

    test('stores only over the listed states, PENDING standing for nothing', async () => {
      expect(await backend.store(record('a', 'REVOKED'), { onlyOver: ['RETRY'] })).toBe(false)
      expect(await backend.store(record('a', 'STARTED'), { onlyOver: ['PENDING'] })).toBe(true)
      expect(await backend.store(record('a', 'REVOKED'), { onlyOver: ['PENDING', 'RETRY'] })).toBe(false)
      expect(await backend.store(record('a', 'REVOKED'), { onlyOver: ['STARTED'] })).toBe(true)
      expect(await backend.store(record('a', 'SUCCESS'), { onlyOver: ['REVOKED'] })).toBe(false)

      expect((await backend.get('a'))?.status).toBe('REVOKED')
    })

    test('lets one of many who store at once win', async () => {
      const other = await fixture.open()

      const won = await Promise.all(numbers(40).map((text, index) => (index % 2 ? other : backend).store(record('a', 'SUCCESS', text))))

      expect(won.filter(Boolean)).toHaveLength(1)
      expect((await backend.get('a'))?.text).toBe(String(won.indexOf(true)))
    })

    test('tells a subscriber of each id what is stored from then on, by whomever', async () => {
      const other = await fixture.open()
      await backend.store(record('a', 'STARTED', 'before'))
      const heard: string[] = []
      const done = Promise.withResolvers<void>()
      backend.subscribe('a', ({ text }) => {
        heard.push(text)
        if (text === 'end') done.resolve()
      })

      await other.store(record('b', 'SUCCESS', 'another id'))
      await other.store(record('a', 'SUCCESS', 'end'))
      await within(done.promise, 'the result')

      expect(heard.filter((text) => text !== 'before')).toEqual(['end'])
    })

    test('tells nobody of a store that was refused', async () => {
      await backend.store(record('a', 'SUCCESS', 'first'))
      const heard: string[] = []
      const done = Promise.withResolvers<void>()
      backend.subscribe('a', ({ text }) => heard.push(text))
      backend.subscribe('end', () => done.resolve())

      await backend.store(record('a', 'FAILURE', 'second'))
      await backend.store(record('end', 'SUCCESS'))
      await within(done.promise, 'the end')

      expect(heard).not.toContain('second')
    })

    test('tells each of several subscribers to one id, and one that throws does not keep it from the others', async () => {
      const heard: number[] = []
      const done = Promise.withResolvers<void>()
      backend.subscribe('a', () => {
        throw new Error('a mistake of the listener')
      })
      backend.subscribe('a', () => heard.push(1))
      backend.subscribe('a', () => done.resolve())

      await backend.store(record('a', 'SUCCESS'))
      await within(done.promise, 'the last subscriber')

      expect(heard).toEqual([1])
    })

    test('does not call a subscriber that has ended', async () => {
      const heard: string[] = []
      const done = Promise.withResolvers<void>()
      const end = backend.subscribe('a', ({ text }) => heard.push(text))
      backend.subscribe('b', () => done.resolve())

      end()
      end()
      await backend.store(record('a', 'SUCCESS'))
      await backend.store(record('b', 'SUCCESS'))
      await within(done.promise, 'the other result')

      expect(heard).toEqual([])
    })

    test('never misses a result for those who subscribe and then get', async () => {
      const other = await fixture.open()
      const ids = numbers(3000)
      const storing = Promise.all(
        ids.map(async (id, index) => {
          if (index % 3 === 0) await turn()
          await other.store(record(id, 'SUCCESS'))
        }),
      )

      const waiting = ids.map(async (id, index) => {
        for (let turns = index % 7; turns > 0; turns -= 1) await turn()
        const told = Promise.withResolvers<void>()
        const end = backend.subscribe(id, () => told.resolve())
        if ((await backend.get(id)) === undefined) await told.promise
        end()
      })

      await within(Promise.all([storing, ...waiting]).then(() => {}), '3,000 results', 15_000)
    })

    test('leaves nothing behind after ten thousand subscriptions', async () => {
      const before = process.getActiveResourcesInfo().length

      const ends = numbers(10_000).map((id) => backend.subscribe(id, () => {}))
      for (const end of ends) end()

      expect(process.getActiveResourcesInfo().length).toBeLessThanOrEqual(before)
    })

    test('forgets a record, which may then be stored again', async () => {
      await backend.store(record('a', 'SUCCESS'))

      await backend.forget('a')
      await backend.forget('a')

      expect(await backend.get('a')).toBeUndefined()
      expect(await backend.store(record('a', 'STARTED'))).toBe(true)
    })

    test('keeps groups until they are deleted', async () => {
      await backend.saveGroup('g', '["one"]', undefined)
      await backend.saveGroup('g', '["two"]', undefined)
      expect(await backend.getGroup('g')).toBe('["two"]')
      expect(await backend.getGroup('h')).toBeUndefined()

      await backend.deleteGroup('g')

      expect(await backend.getGroup('g')).toBeUndefined()
    })

    test('hides what has expired, and removes it when cleaning up', async () => {
      const clock = new ManualClock()
      const timed = await fixture.open({ clock })
      for (const id of numbers(1200)) void timed.store({ ...record(id, 'SUCCESS'), expiresAtMs: clock.now() + 1000 })
      await timed.saveGroup('g', '[]', clock.now() + 1000)
      await timed.store(record('kept', 'SUCCESS'))
      expect(await timed.get('7')).toBeDefined()
      expect(await timed.cleanup()).toBe(0)

      clock.advance(1000)

      expect(await timed.get('7')).toBeUndefined()
      expect(await timed.getMany(['7', 'kept'])).toHaveLength(1)
      expect(await timed.getGroup('g')).toBeUndefined()
      expect(await timed.store(record('7', 'STARTED'))).toBe(true)
      expect(await timed.cleanup()).toBe(1200)
      expect(await timed.get('kept')).toBeDefined()
    })
  })
}

/** Holds a durable driver to the promises of `ResultBackend` that need other processes. */
export function testBackendProcesses(name: string, setUp: () => Promise<BackendFixture>): void {
  describe(`result backend ${name} between processes`, () => {
    let fixture: BackendFixture
    let backend: ResultBackend
    let processes: StoreProcess[]

    beforeEach(async () => {
      fixture = await setUp()
      backend = await fixture.open()
      processes = await Promise.all([1, 2].map(() => StoreProcess.start(fixture.shared ?? { url: '', root: '' })))
    })

    afterEach(async () => {
      await Promise.all(processes.map((one) => one.kill()))
      await fixture.dispose()
    })

    test('tells a process what another one stored, within milliseconds', async () => {
      const delays: number[] = []
      const [storing] = processes
      for (const id of numbers(40)) {
        const told = Promise.withResolvers<string>()
        const end = backend.subscribe(id, ({ text }) => told.resolve(text))
        await storing?.call({ do: 'store', records: [record(id, 'SUCCESS', String(Date.now()))] })
        delays.push(Date.now() - Number(await within(told.promise, 'a result')))
        end()
      }

      expect(delays.sort((a, b) => a - b)[20]).toBeLessThanOrEqual(10)
    })

    test('lets one of two processes win each of many races', async () => {
      const ids = numbers(300)

      const [one, two] = (await Promise.all(processes.map((each) => each.call({ do: 'race', ids })))) as [boolean[], boolean[]]

      expect(ids.filter((_, index) => one[index] === two[index])).toEqual([])
      for (const [index, id] of ids.entries()) expect((await backend.get(id))?.text).toBe(String(processes[one[index] ? 0 : 1]?.pid))
    })

    test('keeps what was stored from a process that was killed at once', async () => {
      const [victim] = processes
      await victim?.call({ do: 'store', records: numbers(200).map((id) => record(id, 'SUCCESS')) })

      await victim?.kill()

      expect(await backend.getMany(numbers(200))).toHaveLength(200)
    })

    test('hands every result of two storing processes to the one that waits', async () => {
      const told = new Set<string>()
      const done = Promise.withResolvers<void>()
      const ids = numbers(4000)
      for (const id of ids) {
        backend.subscribe(id, () => {
          if (told.add(id).size === ids.length) done.resolve()
        })
      }

      const halves = [ids.slice(0, 2000), ids.slice(2000)]
      await Promise.all(processes.map((one, index) => one.call({ do: 'store', records: (halves[index] ?? []).map((id) => record(id, 'SUCCESS')) })))

      await within(done.promise, '4,000 results', 10_000)
    })
  })
}

function record(taskId: string, status: State, text: string = '{}'): StoredResult {
  return { taskId, status, text }
}

function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, index) => String(index))
}
