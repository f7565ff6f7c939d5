import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Session } from 'node:inspector'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { runInThisContext } from 'node:vm'
import { parse } from 'acorn'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { InvalidTaskError, UnreachableFunctionError } from '../../src/errors.ts'
import { isFunctionCode } from '../../src/functions/function-code.ts'
import { ImportBinding } from '../../src/functions/import-binding.ts'
import { type Travel, type TravelOptions, travelName, travelOf } from '../../src/functions/travel.ts'
import { runFixture } from './fixtures/run-node.ts'
import { type Document, dump, load } from './fixtures/shape-codec.ts'
import { add, makeClosure, plusTen, Tasks } from './fixtures/tasks.ts'

const root = join(import.meta.dirname, 'fixtures')
const asTask: TravelOptions = { root: import.meta.dirname, isTask: true }
const captured: TravelOptions = { root: import.meta.dirname, isTask: false }

interface Sent {
  readonly refused?: string
}

describe('a function by value', () => {
  let sent: Record<string, Sent> = {}
  let answers: Record<string, unknown> = {}

  beforeAll(async () => {
    sent = (await runFixture('closures.ts')) as Record<string, Sent>
    const file = join(tmpdir(), `celeriac-closures-${process.pid}.json`)
    writeFileSync(file, JSON.stringify(sent))
    answers = (await runFixture('closures-there.ts', { args: [file] })) as Record<string, unknown>
    rmSync(file)
  })

  const hash = createHash('sha1').update('b').digest('hex').slice(0, 4)
  test.each([
    ['captured variables and functions', 'captured', 23],
    ['a name of its own', 'recursive', 120],
    ['exported functions of a script that must not be started again', 'ofMain', 12],
    ['what others import of that script', 'throughMain', 150],
    ['functions that call each other', 'mutual', false],
    ['variables of several scopes', 'curried', [1, 2, 4, 3]],
    ['imports of built-in modules', 'imported', [hash, 'a/b']],
    ['imports of exported functions', 'reference', 12],
    ['members of a namespace that import() gave', 'namespace', 2],
    ['what require() gave', 'required', 9],
    ['imported data', 'data', [1, 2]],
    ['captured native functions', 'native', [2, [2, 3]]],
    ['classes with superclass, super and private fields', 'classes', ['hello 3!', 4, true, 'Derived']],
    ['the present state of static fields', 'statics', [true, 2]],
    ['classes that extend a built-in one', 'builtinClass', 1],
    ['prototypes written by hand', 'prototype', 4],
    ['functions that replace themselves', 'replaced', [3, 3]],
    ['properties of functions', 'properties', [6, 'kg']],
    ['the text of an arrow in an object', 'property', 6],
    ['the text of a method', 'method', 6],
    ['the text of an async method', 'asyncMethod', 6],
    ['the text of an async generator with a computed name', 'generator', [0, 3, 6]],
    ['the text of a getter', 'getter', 3],
    ['import.meta of its file, which is not the main script', 'meta', [root, true, true, false]],
    ['import() relative to its file', 'dynamic', 3],
    ['import() of built-in modules', 'dynamicBuiltin', 'function'],
    ['bound arguments', 'bound', [1, 'two', 3, 3]],
    ['a bound receiver', 'boundReceiver', 42],
    ['typeof of what does not exist', 'absent', 'undefinedundefined'],
    ['code made by new Function', 'evaluated', 42],
    ['variables of classic scripts', 'script', 5],
    ['sloppiness', 'sloppy', true],
    ['strictness', 'strict', true],
    ['the names of functions', 'named', ['helper', '', 'Derived']],
  ])('keeps %s', (_, name, answer) => {
    expect(sent[name]?.refused).toBeUndefined()
    expect(answers[name]).toEqual(answer)
  })

  test('is named with its file and line in stack traces', () => {
    const file = join(root, 'closures.ts')
    const line = readFileSync(file, 'utf8').split('\n').findIndex((text) => text.endsWith('// line: fails'))

    expect(answers['fails']).toMatch(/^Error: over here\n/)
    expect(answers['fails']).toContain(`${file}:${line + 1}:`)
  })

  test.each([
    ['assignment', /assigns to the variable "counter" \(closures\.ts:\d+\).*Return the value/],
    ['increment', /assigns to the variable "counter"/],
    ['destructuring', /assigns to the variable "counter"/],
    ['loop', /assigns to the variable "counter"/],
    ['this', /uses "this" of the code around it \(closures\.ts:\d+\)/],
    ['arguments', /uses "arguments" of the code around it/],
    ['new.target', /uses "new\.target" of the code around it \(closures\.ts:\d+\)/],
    ['super', /"above" uses "super" of the code around it/],
    ['own this', /"own" \(closures\.ts:\d+\) is a method that uses "this".*\(\) => object\.own\(\)/],
    ['eval', /calls eval directly \(closures\.ts:\d+\)/],
    ['with', /uses "with"/],
    ['global', /uses the global "ownGlobal" \(closures\.ts:\d+\) that this program defined/],
    ['uninitialised', /uses the variable "late" \(closures\.ts:\d+\), which is not initialised yet/],
    ['whole namespace', /uses the whole module object "loaded" .* as loaded\.member/],
    ['native', /is native code/],
    ['proxy', /is a Proxy/],
    ['builtin', /^InvalidTaskError: .*"createHash" is built into Node/],
    ['class', /^InvalidTaskError: Expected a function, got the class "Base"/],
    ['private', /"open" uses the private name "#key" of its class/],
    ['symbol', /has a property under Symbol\(mark\)/],
    ['getter', /has a property "now" that is a getter/],
  ])('is refused: %s', (name, message) => {
    expect(sent[`refused ${name}`]?.refused).toMatch(message)
  })
})

describe('the way a function travels', () => {
  test('is by reference where it is exported', () => {
    expect(travelOf(add, asTask)).toEqual({ by: 'reference', reference: { t: 'm', m: './fixtures/tasks.ts', p: ['add'] } })
    expect(travelOf(Tasks, captured)).toEqual({ by: 'reference', reference: { t: 'm', m: './fixtures/tasks.ts', p: ['Tasks'] } })
  })

  test('is as an import for what Node defines, unless it is the task', () => {
    expect(travelOf(createHash, captured)).toEqual({ by: 'import', binding: new ImportBinding('node:crypto', ['default', 'createHash']) })
    expect(travelOf(Math.max, captured)).toEqual({ by: 'import', binding: new ImportBinding('globalThis', ['Math', 'max']) })
    expect(travelOf(console.log, captured)).toEqual({ by: 'import', binding: new ImportBinding('globalThis', ['console', 'log']) })
    expect(travelOf(Map, captured)).toEqual({ by: 'import', binding: new ImportBinding('globalThis', ['Map']) })
    for (const fn of [createHash, Math.max, Map, Tasks]) expect(() => travelOf(fn, asTask)).toThrow(InvalidTaskError)
  })

  test('is by value for a closure, with values as they are at the call', () => {
    let n = 1
    const closure = (x: number): number => x + n
    const first = valueOf(closure)
    n = 2
    const second = valueOf(closure)

    expect(first.variables).toEqual([['n', 1]])
    expect(second.variables).toEqual([['n', 2]])
    expect(second.code).toBe(first.code)
    expect(isFunctionCode(JSON.parse(JSON.stringify(first.code)))).toBe(true)
  })

  test('differs for two closures made at one place', () => {
    expect(valueOf(makeClosure(1)).variables).toEqual([['n', 1]])
    expect(valueOf(makeClosure(2)).variables).toEqual([['n', 2]])
    expect(valueOf(makeClosure(2)).code).toBe(valueOf(makeClosure(1)).code)
    expect(travelOf(plusTen, asTask)).toEqual({ by: 'reference', reference: { t: 'm', m: './fixtures/tasks.ts', p: ['plusTen'] } })
  })

  test('takes a bound function apart', () => {
    const receiver = { deep: { of: [1n] } }
    const bound = function (this: unknown, ...args: unknown[]): unknown {
      return [this, args]
    }.bind(receiver, -0, undefined, 7n, Symbol.iterator, Number.NaN)
    const travel = travelOf(bound, captured)

    if (travel.by !== 'bound') throw new Error(`Expected it to be bound, got ${travel.by}`)
    expect(travel.receiver).toBe(receiver)
    expect(travel.args).toEqual([-0, undefined, 7n, Symbol.iterator, Number.NaN])
    expect(() => travelOf(createHash.bind(null, 'sha1'), asTask)).not.toThrow()
    expect(() => travelOf(Tasks.bind(null), asTask)).toThrow(InvalidTaskError)
  })

  test('is by reference into packages for what is captured, and for a task where the package is listed', () => {
    const options = { root: join(import.meta.dirname, '../..') }
    const expected = { by: 'reference', reference: { t: 'm', m: './node_modules/acorn/dist/acorn.mjs', p: ['parse'] } }

    expect(() => travelOf(parse, { ...options, isTask: true })).toThrow(/"parse" belongs to an installed package/)
    expect(travelOf(parse, { ...options, isTask: false })).toEqual(expected)
    expect(() => travelOf(parse, { ...options, isTask: true, packages: ['other'] })).toThrow(UnreachableFunctionError)
    expect(travelOf(parse, { ...options, isTask: true, packages: ['acorn'] })).toEqual(expected)
  })

  test('is as an import for what a module outside the root exports, unless it is the task', async () => {
    const options = { root: join(root, '..', 'corpus') }
    const travel = travelOf(add, { ...options, isTask: false })

    expect(travel).toEqual({ by: 'import', binding: new ImportBinding('../fixtures/tasks.ts', ['add'], './_') })
    expect(travelOf(add, { ...options, isTask: true })).toMatchObject({ by: 'value', code: { n: 'add' } })
  })

  test('stays by value for what came by value, with its variables as they are now', async () => {
    let times = 2
    const again = (x: number): number => x * times
    const document = dump(again, root)
    times = 3
    const rebuilt = await load(document, root)

    expect(rebuilt(5)).toBe(10)
    expect(dump(rebuilt, root)).toEqual(document)
    expect((await load(dump(rebuilt, root), root))(5)).toBe(10)
  })
})

describe('under a test runner that wraps modules', () => {
  test('a closure keeps imports, import.meta and import()', async () => {
    const by = 3
    const closure = async (x: number): Promise<unknown[]> => {
      const { operations } = await import('./fixtures/tasks.ts')
      return [add(x, by), createHash('md5').copy().digest('hex').length, join('a', 'b'), import.meta.url, operations.neg(x)]
    }
    const project = join(import.meta.dirname, '../..')
    const again = await load(JSON.parse(JSON.stringify(dump(closure, project))) as Document, project)

    expect(await again(1)).toEqual([4, 32, 'a/b', import.meta.url, -1])
  })

  test('stack traces name the original line', async () => {
    const { stack = '' } = new Error('here')
    const fails = (): never => {
      throw new Error('there')
    }
    const again = await load(dump(fails, import.meta.dirname), import.meta.dirname)
    const lineIn = (text: string): number => Number(/travel\.test\.ts:(\d+)/.exec(text)?.[1])

    expect(() => again()).toThrow('there')
    expect(valueOf(fails).code.l + 1).toBe(lineIn(stack) + 1)
  })
})

test('a function of `node -e` has the globals that Node gives it there', async () => {
  const file = JSON.stringify(join(import.meta.dirname, '../../src/functions/travel.ts'))
  const program = `const { travelOf } = require(${file})
    const fn = () => [path.sep, require('fs')]
    console.log(JSON.stringify(travelOf(fn, { root: ${JSON.stringify(root)}, isTask: true })))`
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', program], { timeout: 20_000 })

  expect(JSON.parse(stdout)).toMatchObject({
    code: { g: { require: 'require' } },
    variables: [['path', { specifier: 'node:path', path: ['default'] }]],
  })
})

test('people see the file and the name of a function by value', () => {
  const named = (x: number): number => x
  const anonymous = [(x: number): number => x][0] ?? named

  expect(nameOf(add)).toBe('fixtures/tasks:add')
  expect(nameOf(named)).toBe('travel.test:named')
  expect(nameOf(anonymous)).toBe('travel.test:anonymous')
  expect(nameOf(named.bind(null, 1))).toBe('travel.test:named')
  expect(nameOf(add.bind(null, 1))).toBe('fixtures/tasks:add')
})

describe('without an inspector', () => {
  test('exported functions travel by reference, and any other is told what is missing', async () => {
    const execArgv = ['--permission', '--allow-fs-read=*']
    const { byReference, byImport, refused } = (await runFixture('closures-uninspected.ts', { execArgv })) as Record<string, unknown>

    expect(byReference).toEqual({ by: 'reference', reference: { t: 'm', m: './tasks.ts', p: ['add'] } })
    expect(byImport).toMatchObject({ by: 'import', binding: { specifier: 'node:crypto' } })
    expect(refused).toMatch(/^UnreachableFunctionError: .*no inspector to read what it captures.*--allow-inspector/)
  })
})

describe('the debugger', () => {
  const session = new Session()

  afterEach(() => {
    session.disconnect()
    Reflect.deleteProperty(globalThis, 'stopped')
    vi.restoreAllMocks()
  })

  test("is never left enabled, and another session's breakpoints stay", () => {
    const stopped = runInThisContext('() => 1') as () => number
    Object.assign(globalThis, { stopped })
    session.connect()
    session.post('Debugger.enable')
    session.post('Runtime.evaluate', { expression: 'stopped' }, (_, { result: { objectId } }) => {
      session.post('Debugger.setBreakpointOnFunctionCall', { objectId })
    })
    const paused: unknown[] = []
    session.on('Debugger.paused', ({ params }) => {
      paused.push(params.reason)
      session.post('Debugger.resume')
    })
    const post = vi.spyOn(Session.prototype, 'post')

    travelOf(runInThisContext('(x) => x') as () => unknown, asTask)
    const switches = post.mock.calls.map(([method]) => String(method)).filter((method) => /^Debugger\.(en|dis)able$/.test(method))
    stopped()

    expect(switches.length).toBeGreaterThan(0)
    expect(switches).toEqual(switches.map((_, index) => (index % 2 === 0 ? 'Debugger.enable' : 'Debugger.disable')))
    expect(paused).toHaveLength(1)
  })

  test('stops at no debugger statement once a function has been looked up', async () => {
    const program = "await import('./closures.ts'); debugger; console.log(JSON.stringify('went on'))"
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { cwd: root, timeout: 20_000 })

    expect(stdout.trim().split('\n').at(-1)).toBe('"went on"')
  })
})

function valueOf(fn: Function): Travel & { by: 'value' } {
  const travel = travelOf(fn, asTask)
  if (travel.by !== 'value') throw new Error(`Expected it to go by value, not by ${travel.by}`)
  return travel
}

function nameOf(fn: Function): string {
  return travelName(fn, travelOf(fn, asTask))
}
