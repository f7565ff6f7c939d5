/* oxlint-disable no-eval, typescript/no-implied-eval, no-constant-binary-expression -- odd code is what is tried */
import { currentTask } from 'celeriac'
import type { Row } from '../row.ts'

declare const notDefinedAnywhere: unknown
declare const corpusSetting: { readonly level: number }

Object.assign(globalThis, { corpusSetting: { level: 1 } })

const fallback = 'fallback'

export const rows: readonly Row[] = [
  { title: 'globals of the language', make: () => () => [Math.max(1, 2), JSON.stringify({ a: [1] }), Number('3'), parseInt('4px', 10), Array.isArray([]), isNaN(Number.NaN), encodeURIComponent('é')], gives: [2, '{"a":[1]}', 3, 4, true, true, '%C3%A9'] },
  { title: 'globals of Node', make: () => () => [typeof process.pid, Buffer.from('a').toString('hex'), typeof setImmediate, new URL('a', 'http://b').href, typeof structuredClone({}).toString], gives: ['number', '61', 'function', 'http://b/a', 'function'] },
  { title: 'globals of the web', make: () => () => [typeof fetch, typeof AbortController, new TextDecoder().decode(new TextEncoder().encode('é')), typeof performance.now(), typeof crypto.randomUUID()], gives: ['function', 'function', 'é', 'number', 'string'] },
  { title: 'globalThis', make: () => () => [globalThis.Math === Math, typeof globalThis], gives: [true, 'object'] },
  { title: 'the environment', make: () => () => typeof process.env['PATH'], gives: 'string' },
  { title: 'undefined, NaN and Infinity', make: () => () => [undefined === void 0, Number.isNaN(NaN), Infinity > 1], gives: [true, true, true] },
  { title: 'typeof a name that exists nowhere', make: () => () => (typeof notDefinedAnywhere === 'undefined' ? fallback : notDefinedAnywhere), gives: 'fallback' },
  { title: 'a catch around a name that exists nowhere', make: () => () => { try { return (0, eval)('notDefinedAnywhere') as unknown } catch (error) { return (error as Error).name } }, gives: 'ReferenceError' },
  { title: 'a parameter that shadows a global', make: () => (process: string, Buffer: number) => [process, Buffer], args: ['own', 1], gives: ['own', 1] },
  { title: 'a captured name that shadows a global', make: () => { const fetch = (x: number): number => x + 1; return (x: number) => fetch(x) }, args: [1], gives: 2 },
  { title: 'code made by new Function inside', make: () => () => new Function('a', 'return a + 1')(1) as unknown, gives: 2 },
  { title: 'the task runs in another process', make: () => (caller: number) => process.pid !== caller, args: [process.pid], gives: true, here: { gives: false } },
  { title: 'the current task', make: () => () => { const task = currentTask(); return [task?.retries, typeof task?.id, task?.isEager] }, gives: [0, 'string', false], here: { gives: [undefined, 'undefined', undefined] } },
  { title: 'the current task after an await', make: () => async () => { await Promise.resolve(); return currentTask()?.retries }, gives: 0, here: { gives: undefined } },
  { title: 'the current task in a captured function', make: () => { const id = (): string | undefined => currentTask()?.id; return () => typeof id() }, gives: 'string', here: { gives: 'undefined' } },
  { title: 'a global that this program defined', make: () => () => corpusSetting.level, refused: /corpusSetting/ },
  { title: 'a global that this program defined, in a captured function', make: () => { const level = (): number => corpusSetting.level; return () => level() }, refused: /corpusSetting/ },
  { title: 'a global that this program defined, shadowed', make: () => (corpusSetting: { level: number }) => corpusSetting.level, args: [{ level: 2 }], gives: 2 },
]
