import { createHash as hashOf } from 'node:crypto'
import fs from 'node:fs'
import * as path from 'node:path'
import { basename, posix } from 'node:path'
import * as acorn from 'acorn'
import { parse, tokTypes } from 'acorn'
import shoutAnonymously, { suffix } from '../modules/anonymous.ts'
import { greet as welcome, maths as mathsAgain, triple as tripleAgain } from '../modules/barrel.ts'
import data from '../modules/data.json' with { type: 'json' }
import greet, { PREFIX } from '../modules/greeting.ts'
import * as maths from '../modules/maths.ts'
import { add, PI2, setOffset, subtract, table, triple, Vector, withOffset } from '../modules/maths.ts'
import { type Row, under } from '../row.ts'

const BUNDLES = ['esbuild bundle', 'esbuild bundle, minified']

const NAMESPACE_OF_BUNDLE = under(BUNDLES, { refused: /\bmaths_exports\b|"\w+"/, why: 'a bundle has no namespaces: esbuild makes an object of getters in their place' })
const WHOLE_NAMESPACE = {
  ...NAMESPACE_OF_BUNDLE,
  'esbuild CommonJS': { refused: /\bmaths\b/, why: 'esbuild makes a copy of what require() gives, so that it is no module any more' },
}
const INTEROP_OF_SWC = { 'swc CommonJS': { refused: /\bcacheNodeInterop\b/, why: 'swc makes of import() a call of its own, which keeps a WeakMap' } }

export const rows: readonly Row[] = [
  { title: 'an exported function as the task', make: () => add, args: [1, 2], gives: 3 },
  { title: 'an exported function under another name', make: () => subtract, args: [5, 2], gives: 3 },
  { title: 'an exported function that uses one that is not', make: () => triple, args: [5], gives: 15 },
  { title: 'an exported function through a barrel', make: () => tripleAgain, args: [5], gives: 15 },
  { title: 'a default export as the task', make: () => greet, args: ['Ada'], gives: 'Hello, Ada' },
  { title: 'an anonymous default export as the task', make: () => shoutAnonymously, args: ['hey'], gives: 'HEY!' },
  { title: 'an exported static method as the task', make: () => Vector.norm, args: [3, 4], gives: 5 },
  { title: 'a function that uses an exported static method', make: () => (x: number, y: number) => Vector.of(x, y).length(), args: [3, 4], gives: 5 },
  { title: 'an exported object’s method as the task', make: () => table['half'] ?? add, args: [5], gives: 2.5 },
  { title: 'a function that uses a named import', make: () => (x: number) => add(x, 1), args: [1], gives: 2 },
  { title: 'a function that uses an imported constant', make: () => () => PI2 + 1, gives: 7.28 },
  { title: 'a function that uses a default import', make: () => (name: string) => `${greet(name)} ${PREFIX}`, args: ['Bo'], gives: 'Hello, Bo Hello' },
  { title: 'a function that uses an anonymous default import', make: () => (text: string) => [shoutAnonymously(text), suffix], args: ['a'], gives: ['A!', '!'] },
  { title: 'a function that uses an import through a barrel', make: () => (name: string) => welcome(name), args: ['Cy'], gives: 'Hello, Cy' },
  { title: 'a function that uses a namespace that a barrel exports', make: () => (x: number) => mathsAgain.triple(x), args: [2], gives: 6 },
  { title: 'a function that uses members of a namespace', make: () => (x: number) => maths.add(x, maths.PI2), args: [1], gives: 7.28 },
  { title: 'a function that destructures a namespace', make: () => (x: number) => { const { add: plus, table: { square } } = maths; return plus(square?.(x) ?? 0, 1) }, args: [3], gives: 10 },
  { title: 'a function that uses a whole namespace', make: () => () => Object.keys(maths).includes('add'), gives: true, differs: WHOLE_NAMESPACE },
  { title: 'a function that looks into a namespace by a name it is given', make: () => (name: 'add' | 'subtract') => maths[name](5, 2), args: ['subtract'], gives: 3, differs: WHOLE_NAMESPACE },
  { title: 'a function that uses a builtin by another name', make: () => (text: string) => hashOf('sha1').update(text).digest('hex').slice(0, 8), args: ['abc'], gives: 'a9993e36' },
  { title: 'a function that uses a default import of a builtin', make: () => () => typeof fs.readFileSync, gives: 'function' },
  { title: 'a function that uses a namespace of a builtin', make: () => (a: string, b: string) => path.posix.join(a, b), args: ['a', 'b'], gives: 'a/b' },
  { title: 'a function that uses a member of an imported object', make: () => (name: string) => posix.basename(basename(name), '.ts'), args: ['/a/b.ts'], gives: 'b' },
  { title: 'a function that uses a package', make: () => (source: string) => parse(source, { ecmaVersion: 2024 }).body.length, args: ['a;b'], gives: 2 },
  { title: 'a function that uses an object of a package', make: () => () => tokTypes.name.label, gives: 'name' },
  { title: 'a function that uses a namespace of a package', make: () => () => typeof acorn.parse, gives: 'function' },
  { title: 'a function that imports a module relative to its own', make: () => async (x: number) => { const module = await import('../modules/maths.ts'); return module.add(x, 1) }, args: [1], gives: 2, differs: { ...INTEROP_OF_SWC, ...under(BUNDLES, { refused: /\binit_maths\b|"\w+"/, why: 'a bundle has no modules: esbuild calls a function that keeps whether it ran' }) } },
  { title: 'a function that imports a package', make: () => async (source: string) => (await import('acorn')).parse(source, { ecmaVersion: 2024 }).type, args: ['a'], gives: 'Program', differs: INTEROP_OF_SWC },
  { title: 'a function that imports a builtin', make: () => async () => typeof (await import('node:os')).cpus, gives: 'function', differs: INTEROP_OF_SWC },
  { title: 'a function that uses imported data', make: () => () => [data.name, data.sizes.length], gives: ['corpus', 3] },
  { title: 'an object method taken from imported data', make: () => (x: number) => table['square']?.(x), args: [4], gives: 16 },
  { title: 'a namespace that import() gave is captured', make: () => { return async (x: number) => (await loaded).add(x, 1) }, args: [1], refused: /\bloaded\b/ },
  {
    title: 'an exported function keeps the state that its module has in the worker',
    make: () => {
      setOffset(1)
      return withOffset
    },
    args: [1],
    gives: 101,
    here: { gives: 2 },
    differs: under(BUNDLES, { gives: 2, why: 'nothing of a bundle is exported, so the function travels by value, with the value here' }),
  },
]

const loaded = import('../modules/maths.ts')
