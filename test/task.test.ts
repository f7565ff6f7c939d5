import { afterAll, describe, expect, test } from 'vitest'

import { AlreadyRegistered, Celery, type CurrentTask, currentTask, InvalidTaskError, kw, NotRegistered, type Task } from '../src/index.ts'
import { bindTaskArguments } from '../src/task.ts'

const open: Celery[] = []

afterAll(async () => {
  for (const celery of open) await celery.close()
})

function application(): Celery {
  const celery = new Celery({ main: 'proj', taskAlwaysEager: true })
  open.push(celery)
  return celery
}

function add(a: number, b: number): number {
  return a + b
}

class Accounts {
  static close(id: number): string {
    return `closed ${id}`
  }
}

function methodContext(isStatic: boolean): ClassMethodDecoratorContext {
  return { kind: 'method', name: 'close', static: isStatic } as ClassMethodDecoratorContext
}

describe('every spelling of celery.task', () => {
  const spellings: [string, (celery: Celery) => Task<[number, number], number>, string][] = [
    ['celery.task(fn)', (celery) => celery.task(add), 'test.task.test.add'],
    ['celery.task()(fn)', (celery) => celery.task()(add), 'test.task.test.add'],
    ['celery.task({ name }, fn)', (celery) => celery.task({ name: 'math.add' }, add), 'math.add'],
    ['celery.task({ name })(fn)', (celery) => celery.task({ name: 'math.add' })(add), 'math.add'],
  ]

  test.each(spellings)('%s gives a task that is called, sent and found', async (_spelling, register, name) => {
    const celery = application()

    const task = register(celery)

    expect(task.name).toBe(name)
    expect(task(1, 2)).toBe(3)
    expect(await task.delay(1, 2).result()).toBe(3)
    expect(celery.task[name]).toBe(task)
    expect(celery.task['add']).toBe(task)
  })

  test('@celery.task() and @celery.task on a static method give a task', async () => {
    const celery = application()

    const decorated = celery.task({ name: 'accounts.close' })(Accounts.close, methodContext(true))
    const bare = celery.task(Accounts.close, methodContext(true))

    expect(await decorated.delay(7).result()).toBe('closed 7')
    expect(bare(7)).toBe('closed 7')
  })

  test('a method of instances is refused', () => {
    expect(() => application().task()(Accounts.close, methodContext(false))).toThrow(/static/)
  })
})

describe('celery.task refuses', () => {
  test.each([
    ['what is no function', () => application().task({ name: 'x' }, 5 as never), /takes a function, not number/],
    ['a class', () => application().task(Accounts as never), /class/],
    ['a function without a name', () => application().task((() => () => 1)()), /without a name/],
    ['options that are none', () => application().task({ nam: 'x' } as never, add), /"nam" is not an option; did you mean "name"/],
    ['a queue that is no name', () => application().task({ queue: 5, expires: 'soon', priority: 10, params: 'x', bind: 1 } as never, add), /"queue" .*"expires" .*"priority" .*"params" .*"bind" /],
    ['what every object has', () => application().task({ toString: 1 } as never, add), /"toString" is not an option/],
    ['options that come second', () => application().task(add, { name: 'x' } as never), /options first/],
  ])('%s', (_what, register, message) => {
    expect(register).toThrow(InvalidTaskError)
    expect(register).toThrow(message)
  })

  test('a second task under the name of another', () => {
    const celery = application()
    celery.task({ name: 'math.add' }, add)

    expect(() => celery.task({ name: 'math.add' }, (a: number) => a)).toThrow(AlreadyRegistered)
  })
})

describe('celery.task as a table', () => {
  test('throws for a task that nobody registered', () => {
    const celery = application()
    celery.task({ name: 'math.add' }, add)

    expect(() => celery.task['unheard']).toThrow(NotRegistered)
    expect(() => celery.task['unheard']).toThrow(/math\.add/)
  })

  test('may be awaited, printed and written as JSON like any value', async () => {
    const celery = application()

    expect(await (celery.task as unknown as Promise<unknown>)).toBe(celery.task)
    expect(JSON.stringify({ task: celery.task })).toBe('{}')
    expect(String(celery.task)).toContain('function')
  })

  test('has tasks that are named like members of a function', () => {
    const celery = application()
    const call = celery.task({ name: 'phone.call' }, add)

    expect(celery.task['call']).toBe(call)
  })
})

describe('a task', () => {
  test('runs here when it is called, as its function does', () => {
    const task = application().task(function where(): CurrentTask | undefined {
      return currentTask()
    })

    expect(task()).toBeUndefined()
    expect(task.run()).toBeUndefined()
  })

  test('takes arguments by position and by name', async () => {
    const task = application().task(add)

    expect(await task.delay(1, kw({ b: 2 })).result()).toBe(3)
    expect(await task.applyAsync([1], { b: 2 }).result()).toBe(3)
    expect(await task.applyAsync([], { a: 1, b: 2 }).result()).toBe(3)
    expect(await task.applyAsync([1, kw({ b: 2 })]).result()).toBe(3)
  })

  test('refuses keywords that its function does not have, when it is sent', () => {
    const task = application().task(add)

    expect(() => task.delay(1, kw({ c: 2 }))).toThrow(/unexpected keyword argument 'c'/)
    expect(() => task.applyAsync([1], { a: 2 })).toThrow(/multiple values for argument 'a'/)
  })

  test('refuses arguments that are in no array, and options that are none', () => {
    const task = application().task(add)

    expect(() => task.applyAsync(1 as never)).toThrow(/as an array/)
    expect(() => task.applyAsync([1, 2], {}, { quue: 'high' } as never)).toThrow(/"quue"/)
  })

  test('that is bound gets the current task first, and refuses to be called outside of one', async () => {
    const task = application().task({ name: 'bound', bind: true }, (self, factor: number) => [self.id, factor * 2])

    const future = await task.delay(21)
    const byName = await task.delay(kw({ factor: 4 }))

    expect(await future.result()).toEqual([future.id, 42])
    expect(await byName.result()).toEqual([byName.id, 8])
    expect(() => task(21)).toThrow(/outside of a task/)
    expect(() => task.delay(kw({ factr: 4 }))).toThrow(/factr/)
  })

  test('with declared parameters binds keywords to those', () => {
    const celery = application()
    const plain = celery.task({ name: 'plain', params: ['x', 'y'] }, (a: number, b: number) => a - b)
    const bound = celery.task({ name: 'bound', bind: true, params: ['x', 'y'] }, (_self, a: number, b: number) => a - b)

    expect(bindTaskArguments(plain as unknown as Task, [5], { y: 2 })).toEqual([5, 2])
    expect(bindTaskArguments(bound as unknown as Task, [5], { y: 2 })).toEqual([5, 2])
    expect(() => bindTaskArguments(bound as unknown as Task, [5], { b: 2 })).toThrow(TypeError)
  })
})
