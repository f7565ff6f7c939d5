import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'

import { type CurrentTask, runAsCurrentTask, setCurrentApp } from '../src/current.ts'
import { currentApp, currentTask, NoCurrentAppError } from '../src/index.ts'

describe('the current task', () => {
  test('is there during a call and all that it awaits, and not outside', async () => {
    const task = { id: 'a' } as CurrentTask
    const seen: (string | undefined)[] = []
    const see = (): void => void seen.push(currentTask()?.id)

    const running = runAsCurrentTask(task, async () => {
      see()
      await pause(1)
      see()
      await Promise.all([pause(1).then(see), Promise.resolve().then(see)])
    })
    see()
    await running
    see()

    expect(seen).toEqual(['a', undefined, 'a', 'a', 'a', undefined])
  })

  test('of one call is never that of another', async () => {
    const run = (id: string): Promise<string | undefined> =>
      runAsCurrentTask({ id } as CurrentTask, async () => {
        await pause(1)
        return currentTask()?.id
      })

    expect(await Promise.all(['a', 'b', 'c'].map(run))).toEqual(['a', 'b', 'c'])
  })
})

describe('the current application', () => {
  afterEach(() => setCurrentApp(undefined))

  test('is what this process was told', () => {
    const app = { listen: () => {} }
    setCurrentApp(() => app)

    expect(currentApp()).toBe(app)
  })

  test('is looked for each time, and its absence explained', () => {
    const found: object[] = []
    setCurrentApp(() => found[0])
    expect(() => currentApp()).toThrow(NoCurrentAppError)
    expect(() => currentApp()).toThrow(/CELERIAC_APP.*import\.meta\.main/)

    found.push({})
    expect(currentApp()).toBe(found[0])
  })
})
