import { describe, expect, test } from 'vitest'

import { AlreadyRegistered, NotRegistered } from '../src/index.ts'
import { TaskRegistry } from '../src/registry.ts'

interface Entry {
  readonly name: string
}

function registryOf(...names: string[]): TaskRegistry<Entry> {
  const registry = new TaskRegistry<Entry>()
  for (const name of names) registry.add({ name })
  return registry
}

describe('a registry of tasks', () => {
  test('finds a task by its full name, and by its last part where only one has it', () => {
    const registry = registryOf('app.add', 'app.sub', 'other.sub')

    expect(registry.get('app.add').name).toBe('app.add')
    expect(registry.get('add').name).toBe('app.add')
    expect(registry.find('sub')).toBeUndefined()
    expect(registry.get('other.sub').name).toBe('other.sub')
  })

  test('finds what a message names by its full name only', () => {
    const registry = registryOf('app.add')

    expect(registry.named('app.add')?.name).toBe('app.add')
    expect(registry.named('add')).toBeUndefined()
  })

  test('says what it knows when it is asked for another', () => {
    expect(() => registryOf('app.add').get('mul')).toThrow(NotRegistered)
    expect(() => registryOf('app.add').get('mul')).toThrow(/"mul".*known: "app\.add".*include/)
    expect(() => registryOf().get('mul')).toThrow(/known: none/)
  })

  test('lists every name in order', () => {
    expect(registryOf('b.z', 'a.y', 'a.x').names()).toEqual(['a.x', 'a.y', 'b.z'])
  })

  test('reads a name when somebody looks, not when the task is added', () => {
    let asked = 0
    const registry = new TaskRegistry<Entry>()
    registry.add({
      get name() {
        asked += 1
        return 'late'
      },
    })
    expect(asked).toBe(0)

    registry.get('late')

    expect(asked).toBeGreaterThan(0)
  })

  test('refuses a second task of the same name, at every look', () => {
    const registry = registryOf('app.add', 'app.add', 'app.sub')

    expect(() => registry.find('app.sub')).toThrow(AlreadyRegistered)
    expect(() => registry.find('app.sub')).toThrow(/"app\.add"/)
  })

  test('refuses a second task of the same given name at once, and keeps the first', () => {
    const registry = new TaskRegistry<Entry>()
    const first = { name: 'app.add' }
    registry.add(first, { isNamed: true })

    expect(() => registry.add({ name: 'app.add' }, { isNamed: true })).toThrow(AlreadyRegistered)
    expect(registry.get('app.add')).toBe(first)
  })

  test('takes the same task twice', () => {
    const task = { name: 'app.add' }
    const registry = new TaskRegistry<Entry>()
    registry.add(task)
    registry.add(task)

    expect(registry.names()).toEqual(['app.add'])
  })
})
