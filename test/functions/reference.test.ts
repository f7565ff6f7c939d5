import { Session } from 'node:inspector'
import { join } from 'node:path'
import { runInThisContext } from 'node:vm'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { InvalidTaskError, UnreachableFunctionError } from '../../src/errors.ts'
import { findReference, moduleOf, referenceName } from '../../src/functions/reference.ts'
import { referenceOf } from './fixtures/reference-of.ts'
import type { FunctionReference } from '../../src/functions/reference.ts'
import { plus } from './fixtures/barrel.ts'
import defaultObject from './fixtures/default-object.ts'
import { whileEvaluating } from './fixtures/during-evaluation.ts'
import * as holder from './fixtures/holder.ts'
import { runFixture } from './fixtures/run-node.ts'
import remainder, * as tasks from './fixtures/tasks.ts'

const root = join(import.meta.dirname, 'fixtures')
const at = (m: string, ...p: string[]): FunctionReference => ({ t: 'm', m, p })

/** What `fixtures/references.ts` prints. */
const EXPECTED = {
  named: at('./tasks.ts', 'add'),
  arrow: at('./tasks.ts', 'arrow'),
  renamed: at('./tasks.ts', 'renamed'),
  async: at('./tasks.ts', 'later'),
  generator: at('./tasks.ts', 'counted'),
  static: at('./tasks.ts', 'Tasks', 'sub'),
  member: at('./tasks.ts', 'operations', 'neg'),
  nested: at('./tasks.ts', 'operations', 'deep', 'power'),
  wrapped: at('./tasks.ts', 'wrapped'),
  default: at('./tasks.ts', 'default'),
  defaultMember: at('./default-object.ts', 'default', 'join'),
  defaultInline: at('./default-object.ts', 'default', 'inline', 'both'),
  defaultMethod: at('./default-object.ts', 'default', 'inline', 'method'),
  defaultStatic: at('./default-class.ts', 'default', 'twice'),
  defaultStaticMethod: at('./default-class.ts', 'default', 'pick'),
  destructured: at('./default-class.ts', 'first'),
  destructuredItem: at('./default-class.ts', 'second'),
  item: at('./default-class.ts', 'list', '0'),
  barrel: at('./tasks.ts', 'add'),
  barrelNested: at('./tasks.ts', 'Tasks', 'sub'),
  mjs: at('./plain.mjs', 'divide'),
  cjs: at('./common.cjs', 'multiply'),
  cjsAssigned: at('./common.cjs', 'min'),
  cjsMember: at('./common.cjs', 'group', 'max'),
  cjsWhole: at('./common-function.cjs', 'default'),
  cts: at('./typed.cts', 'typed'),
  transpiled: at('./transpiled.cjs', 'viaGetter'),
}

describe('a script of its own', () => {
  test('refers to every form of exported function, and another process finds the same function', async () => {
    const { object, class: aClass, cached, ...references } = (await runFixture('references.ts')) as Record<string, FunctionReference>

    expect(references).toEqual(EXPECTED)
    expect([object, aClass, cached]).toEqual([at('./tasks.ts', 'held'), at('./tasks.ts', 'Tasks'), at('./tasks.ts', 'add')])

    const answers = await runFixture('resolve.ts', { args: [JSON.stringify(references)] })

    expect(answers).toEqual({
      ...{ named: 9, arrow: 5, renamed: 14, async: 9, generator: [7, 2], static: 5, member: -7, nested: 49, wrapped: 9, default: 1 },
      ...{ defaultMember: '72', defaultInline: [7, 2], defaultMethod: 7, barrel: 9, barrelNested: 5, mjs: 3.5 },
      ...{ defaultStatic: 14, defaultStaticMethod: 7, destructured: 8, destructuredItem: 9, item: 10 },
      ...{ cjs: 14, cjsAssigned: 2, cjsMember: 7, cjsWhole: [7, 2], cts: 9, transpiled: 9 },
    })
  })

  test('is told which function CommonJS does not export', async () => {
    expect(await runFixture('unexported.cjs')).toMatch(/"unexported" \(unexported\.cjs:3\) is not exported by unexported\.cjs/)
  })

  test('finds functions while its own top-level await is still pending', async () => {
    expect(await runFixture('main-awaiting.ts')).toEqual([at('./tasks.ts', 'add'), at('./main-awaiting.ts', 'own')])
  })

  test('may refer to its own functions when its start-up is guarded', async () => {
    expect(await runFixture('main-guarded.ts')).toEqual(at('./main-guarded.ts', 'own'))
    expect(await runFixture('main-guarded.cjs')).toEqual(at('./main-guarded.cjs', 'own'))
  })

  test('is told to guard its start-up when it refers to its own functions without', async () => {
    const [message, reference, module] = (await runFixture('main-unguarded.ts')) as [string, unknown, string]

    expect(message).toMatch(/^UnreachableFunctionError: The function "own" is defined in main-unguarded\.ts, the script that was started/)
    expect(message).toContain('Move the function to a module of its own, or guard the script\'s start-up with `if (import.meta.main)`.')
    expect(reference).toBeNull()
    expect(module).toBe('main-unguarded.ts')
  })

  test('is told of the guard that CommonJS has', async () => {
    expect(await runFixture('main-unguarded.cjs')).toContain("guard the script's start-up with `if (require.main === module)`.")
  })

  test('finds imported functions by their text when it may not inspect itself', async () => {
    const execArgv = ['--permission', '--allow-fs-read=*']
    const { inspector, found, missed } = (await runFixture('no-inspector.ts', { execArgv })) as Record<string, unknown>

    expect(inspector).toBe(false)
    expect(found).toEqual([EXPECTED.named, EXPECTED.renamed, EXPECTED.static, EXPECTED.nested, EXPECTED.default])
    expect(missed).toMatch(/was not found among what the calling file exports and imports.*Register it under a name/)
  })
})

describe('under a test runner that wraps modules', () => {
  test('refers to the defining module and the exported name', () => {
    expect(referenceOf(tasks.add, root)).toEqual(EXPECTED.named)
    expect(referenceOf(plus, root)).toEqual(EXPECTED.barrel)
    expect(referenceOf(tasks.renamed, root)).toEqual(EXPECTED.renamed)
    expect(referenceOf(tasks.Tasks.sub, root)).toEqual(EXPECTED.static)
    expect(referenceOf(tasks.operations.deep.power, root)).toEqual(EXPECTED.nested)
    expect(referenceOf(remainder, root)).toEqual(EXPECTED.default)
    expect(referenceOf(defaultObject.join, root)).toEqual(EXPECTED.defaultMember)
    expect(findReference(tasks.held, root)).toEqual(at('./tasks.ts', 'held'))
  })

  test('does not take a function for an export of the same name', () => {
    const add = (x: number, y: number): number => x + y

    expect(() => referenceOf(add, root)).toThrow(UnreachableFunctionError)
  })
})

describe('what has no reference', () => {
  test.each([
    ['a number', 3, /Expected a function to run, got the number 3/],
    ['a promise', Promise.resolve(3), /got an object \(Promise\).*submit\(add, 1, 2\)/],
    ['undefined', undefined, /got undefined/],
    ['a class', tasks.Tasks, /got the class "Tasks"/],
    ['a native function', Math.max, /got the built-in "max"/],
    ['a bound function', tasks.add.bind(null, 1), /got a bound one \("bound add"\)/],
    ['a proxy', holder.proxied, /got a Proxy/],
    ["one of Node's own functions", tasks.createHash, /"createHash" is built into Node/],
  ])('%s is refused as a programming mistake', (_, value, message) => {
    expect(() => referenceOf(value, root)).toThrow(InvalidTaskError)
    expect(() => referenceOf(value, root)).toThrow(message)
  })

  test.each([
    ['a function that is not exported', tasks.getHidden(), /"hidden" \(tasks\.ts:\d+\) is not exported by tasks\.ts.*Export it/],
    ['a closure', tasks.makeClosure(1), /anonymous function \(tasks\.ts:\d+\) is not exported.*top level/],
    ['a method of instances', holder.Point.prototype.norm, /"norm" .* is not exported by holder\.ts.*It is a method.*make it a static method/],
    ['evaluated code', tasks.evaluated, /made by eval or new Function/],
    ['a function of a package', vi.fn, /belongs to an installed package|outside the project's root/],
  ])('%s is unreachable', (_, value, message) => {
    expect(() => referenceOf(value, root)).toThrow(UnreachableFunctionError)
    expect(() => referenceOf(value, root)).toThrow(message)
    expect(findReference(value, root)).toBeUndefined()
  })

  test('a function from outside the root is unreachable', () => {
    expect(() => referenceOf(tasks.add, join(root, 'elsewhere'))).toThrow(/defined in .*tasks\.ts, outside the project's root/)
  })
})

describe('a function during the evaluation of its module', () => {
  test('has a module, and no reference as long as its export is not initialised', () => {
    expect(whileEvaluating).toEqual({ module: 'during-evaluation.ts', reference: undefined })
  })
})

describe('an object made elsewhere', () => {
  test('is found in the module of a function that is given as near', () => {
    expect(findReference(holder.point, root)).toBeUndefined()
    expect(findReference(holder.point, root, holder.Point.make)).toEqual(at('./holder.ts', 'point'))
  })
})

describe('the debugger', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  test('is never left enabled, and not used again for a function that was found', () => {
    const post = vi.spyOn(Session.prototype, 'post')
    const { inline } = defaultObject

    referenceOf(inline.both, root)
    expect(() => referenceOf(runInThisContext('() => 1'), root)).toThrow(UnreachableFunctionError)
    const methods = post.mock.calls.map(([method]) => String(method))
    const switches = methods.filter((method) => /^Debugger\.(en|dis)able$/.test(method))
    expect(switches.length).toBeGreaterThan(0)
    expect(switches).toEqual(switches.map((_, index) => (index % 2 === 0 ? 'Debugger.enable' : 'Debugger.disable')))

    post.mockClear()
    referenceOf(inline.both, root)
    expect(post).not.toHaveBeenCalled()
  })
})

test('people see a reference as module and name', () => {
  expect(referenceName(at('./src/tasks.ts', 'add'))).toBe('src/tasks:add')
  expect(referenceName(at('./lib/a.b/mail.tasks.mjs', 'Tasks', 'sub'))).toBe('lib/a.b/mail.tasks:Tasks.sub')
})

test('the module of a function is known by its path below the root', () => {
  expect(moduleOf(tasks.add, join(root, '..'))).toBe('fixtures/tasks.ts')
  expect(moduleOf(tasks.getHidden(), root)).toBe('tasks.ts')
  expect(moduleOf(Math.max, root)).toBeUndefined()
  expect(moduleOf(tasks.add, join(root, 'elsewhere'))).toBeUndefined()
})
