import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import { CeleriacError } from '../../src/errors.ts'
import { readGraph, readGraphText } from '../../src/graph/read.ts'
import { TypeRegistry } from '../../src/graph/types.ts'
import { writeGraph } from '../../src/graph/write.ts'
import { fidelity } from './fidelity.ts'
import { Money } from './fixtures/shapes.ts'
import { Dice, mutate, mutateText, randomDocument } from './mutations.ts'

const root = resolve(import.meta.dirname, '../..')
const SEED = Number(process.env['GRAPH_FUZZ_SEED'] ?? Date.now() % 2 ** 31)

/** What a document's code would set if it ran. */
const MARK = '__graphFuzzRan'

const types = new TypeRegistry()
types.register(Money, { name: 'money', toWire: (money) => money.cents, fromWire: (cents) => new Money(cents) })
const unverified = { root, types, allowCode: false }

const prototypes = [Object, Array, Function, Map, Set, Error, Date, RegExp, Promise, String, Number, Money].map((Class) => Class.prototype as object)
const keysBefore = prototypes.map((prototype) => Reflect.ownKeys(prototype).length)

const outside = mkdtempSync(join(tmpdir(), 'celeriac-graph-'))
afterAll(() => rmSync(outside, { recursive: true, force: true }))

/** What a document may have done to this process, in words; checked after each test. */
function damage(): readonly string[] {
  const changed = prototypes.filter((prototype, index) => Reflect.ownKeys(prototype).length !== keysBefore[index])
  return [
    ...(Reflect.has(globalThis, MARK) ? ['code ran'] : []),
    ...changed.map((prototype) => `the prototype of ${prototype.constructor.name} was changed`),
    ...('polluted' in {} ? ['all objects have a new member'] : []),
  ]
}

afterEach(() => {
  const found = damage()
  if (found.length > 0) throw new Error(`After the test: ${found.join(', ')} (seed ${SEED})`)
})

/** Documents of every kind of value, with and without code, small ones only. */
function corpus(): string[] {
  const values = [...fidelity.map((row) => row.value()), [new Money(1), new Map([[new Money(2), new Money(3)]])]]
  const texts = values.map((value) => writeGraph([value], { root, path: 'args', types, classesByValue: true }).text)
  return texts.map((text) => text.replaceAll(/"s":"/g, `"s":"globalThis.${MARK}=1,`)).filter((text) => text.length < 3_000)
}

/** Reads a document: any value or any error of ours will do. Anything else, or taking long twice, fails. */
async function feed(document: unknown): Promise<'read' | 'refused'> {
  try {
    await (typeof document === 'string' ? readGraphText(document, unverified) : readGraph(document, unverified))
    return 'read'
  } catch (error) {
    if (error instanceof CeleriacError) return 'refused'
    throw new Error(`Expected a value or an error of ours from ${JSON.stringify(document).slice(0, 1000)} (seed ${SEED})`, { cause: error })
  }
}

async function feedMany(count: number, make: (dice: Dice) => unknown): Promise<Record<'read' | 'refused', number>> {
  const dice = new Dice(SEED)
  const outcomes = { read: 0, refused: 0 }
  for (let round = 0; round < count; round++) {
    const document = make(dice)
    const startMs = performance.now()
    outcomes[await feed(document)]++
    if (performance.now() - startMs < 200) continue
    // The machine may have been busy elsewhere: the document is at fault if it takes that long again.
    const againMs = performance.now()
    await feed(document)
    expect(performance.now() - againMs, `${JSON.stringify(document).slice(0, 1000)} (seed ${SEED})`).toBeLessThan(200)
  }
  return outcomes
}

test(`200,000 mutated documents are read or refused (seed ${SEED})`, { timeout: 120_000 }, async () => {
  const documents = corpus().map((text) => JSON.parse(text) as unknown)
  const heap = process.memoryUsage().heapUsed

  const { read, refused } = await feedMany(200_000, (dice) => mutate(dice.pick(documents), dice))

  expect(read).toBeGreaterThan(20_000)
  expect(refused).toBeGreaterThan(20_000)
  expect(process.memoryUsage().heapUsed - heap).toBeLessThan(500e6)
})

test(`50,000 documents of random JSON are read or refused (seed ${SEED})`, { timeout: 60_000 }, async () => {
  const { read, refused } = await feedMany(50_000, randomDocument)

  expect(read).toBeGreaterThan(100)
  expect(refused).toBeGreaterThan(10_000)
})

test(`50,000 texts with changed characters are read or refused (seed ${SEED})`, { timeout: 60_000 }, async () => {
  const texts = corpus()

  const { read, refused } = await feedMany(50_000, (dice) => mutateText(dice.pick(texts) ?? '', dice))

  expect(read).toBeGreaterThan(100)
  expect(refused).toBeGreaterThan(10_000)
})

const shapes = './test/graph/fixtures/shapes.ts'

/** Documents of somebody who wants more, read as if they were verified. */
const attacks: readonly (readonly [title: string, nodes: readonly unknown[]])[] = [
  ['a global by name', [{ t: 'g', p: ['Function'] }]],
  ['the constructor of an exported class', [{ t: 'm', m: shapes, p: ['Point', 'constructor'] }]],
  ['the prototype of an exported class', [{ t: 'm', m: shapes, p: ['Point', '__proto__', 'constructor'] }]],
  ['an inherited member', [{ t: 'm', m: shapes, p: ['double', 'call'] }]],
  ['a builtin module by reference', [{ t: 'm', m: 'node:child_process', p: ['execSync'] }]],
  ['a module outside the root', [{ t: 'm', m: './../../../../etc/passwd.ts', p: ['x'] }]],
  ['an absolute path', [{ t: 'm', m: '/etc/passwd', p: ['x'] }]],
  ['a data URL', [{ t: 'm', m: `data:text/javascript,globalThis.${MARK}=1`, p: ['x'] }]],
  ['a file that is no module', [{ t: 'm', m: './package.json', p: ['name'] }]],
  ['an instance of no class', [{ t: 'i', c: ['r', 1], k: [], w: [] }, { t: 'o' }]],
  ['an instance of a plain function', [{ t: 'i', c: ['r', 1], k: [], w: [] }, { t: 'm', m: './test/graph/fixtures/arrow.ts', p: ['arrow'] }]],
  ['an instance of itself', [{ t: 'i', c: ['r', 0], k: [], w: [] }]],
  ['a class that extends itself', [{ t: 'f', c: { s: 'class A {}', n: 'A', l: 0, k: 1 }, k: [], w: [], x: ['r', 0] }]],
  ['a variable that closes the function', [{ t: 'f', c: { s: '() => 1', n: '', l: 0 }, k: [`a;globalThis.${MARK}=1;//`], w: [1] }]],
  ['a bound function of itself', [{ t: 'B', f: ['r', 0], x: ['u'], a: [] }]],
  ['a value of a type that holds itself', [{ t: 'T', n: 'money', v: ['r', 0] }]],
  ['values of types that hold each other', [{ t: 'S', v: [['r', 1]] }, { t: 'T', n: 'money', v: ['r', 2] }, { t: 'a', v: [['r', 0]] }]],
]

test.each(attacks)('%s is refused', async (_title, nodes) => {
  await expect(readGraph({ v: 1, n: nodes, r: ['r', 0] }, { ...unverified, allowCode: true })).rejects.toThrow(CeleriacError)
})

test('a symbolic link does not lead out of the root', async () => {
  const folder = join(outside, 'root')
  mkdirSync(folder)
  writeFileSync(join(outside, 'secret.mjs'), `globalThis.${MARK} = 1; export const f = () => 1`)
  symlinkSync(join(outside, 'secret.mjs'), join(folder, 'link.mjs'))
  const document = { v: 1, n: [{ t: 'm', m: './link.mjs', p: ['f'] }], r: ['r', 0] }

  await expect(readGraph(document, { root: folder, types, allowCode: true })).rejects.toThrow(CeleriacError)
})

const dangerousText = '{"v":1,"n":[{"t":"o","k":["__proto__","constructor"],"w":[["l",{"polluted":1}],["l",{"prototype":{"polluted":1}}]]}],"r":["r",0],"__proto__":{"polluted":1}}'

test('a key __proto__ is an ordinary key wherever it is', async () => {
  const value = (await readGraphText(dangerousText, unverified)) as object

  expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  expect(Object.keys(value)).toEqual(['__proto__', 'constructor'])
  await expect(readGraphText('{"v":1,"n":[{"__proto__":{"t":"D","v":0}}],"r":["r",0]}', unverified)).rejects.toThrow(/n\[0\]: expected a node/)
})

test.each([
  ['a million levels of plain data', `{"v":1,"r":["l",${'['.repeat(1e6)}${']'.repeat(1e6)}]}`],
  ['a million levels of values', `{"v":1,"r":${'['.repeat(1e6)}${']'.repeat(1e6)}}`],
  ['more nodes than anybody sends', `{"v":1,"n":[${Array(1_000_001).fill('0').join(',')}],"r":1}`],
  ['more values than anybody sends', `{"v":1,"n":[{"t":"S","v":[${Array(1_000_001).fill('0').join(',')}]}],"r":1}`],
  ['a hole far out', '{"v":1,"n":[{"t":"a","v":[1],"h":[4294967294]}],"r":["r",0]}'],
  ['holes that are no indices', '{"v":1,"n":[{"t":"a","v":[1,2],"h":[-1,0.5]}],"r":["r",0]}'],
  ['a length as a key', '{"v":1,"n":[{"t":"a","v":[],"k":["length"],"w":[4294967295]}],"r":["r",0]}'],
  ['a length for bytes', '{"v":1,"n":[{"t":"b","k":"Uint8Array","v":100000000}],"r":["r",0]}'],
  ['bytes of half a number', '{"v":1,"n":[{"t":"b","k":"Float64Array","v":"AAAA"}],"r":["r",0]}'],
  ['a BigInt of too many digits', `{"v":1,"r":["n","${'9'.repeat(200_000)}"]}`],
  ['an unknown version', '{"v":2,"r":1}'],
  ['a number that is none', '{"v":1,"r":1e999}'],
])('%s is refused', async (_title, text) => {
  await expect(readGraphText(text, unverified)).rejects.toThrow(/^Cannot read the graph/)
})

test('a chain of 300,000 nodes is read', async () => {
  const nodes = Array.from({ length: 300_000 }, (_, id) => ({ t: 'a', v: id === 299_999 ? [] : [['r', id + 1]] }))

  const value = await readGraph({ v: 1, n: nodes, r: ['r', 0] }, unverified)

  expect(Array.isArray(value)).toBe(true)
})
