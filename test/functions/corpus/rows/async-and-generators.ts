/* oxlint-disable unicorn/no-thenable, typescript/await-thenable -- odd code is what is tried */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Row } from '../row.ts'

const step = 2

function* count(to: number): Generator<number, string, void> {
  for (let i = 0; i < to; i += step) yield i
  return 'done'
}

async function* countLater(to: number): AsyncGenerator<number> {
  for (const n of count(to)) {
    await sleep(0)
    yield n
  }
}

const settle = async <T>(value: T): Promise<T> => value

export const rows: readonly Row[] = [
  { title: 'an async function', make: () => async function (x: number) { await sleep(0); return x * step }, args: [3], gives: 6 },
  { title: 'a function that returns a promise', make: () => (x: number) => settle(x).then((y) => y + step), args: [1], gives: 3 },
  { title: 'a function that returns a thenable', make: () => (x: number) => ({ then: (resolve: (value: number) => void) => resolve(x + step) }), args: [1], gives: 3 },
  { title: 'a captured generator', make: () => () => [...count(6)], gives: [0, 2, 4] },
  { title: 'a generator stepped by hand', make: () => () => { const it = count(2); return [it.next(), it.next(), it.next()] }, gives: [{ value: 0, done: false }, { value: 'done', done: true }, { value: undefined, done: true }] },
  { title: 'a captured async generator', make: () => async () => { const found: number[] = []; for await (const n of countLater(4)) found.push(n); return found }, gives: [0, 2] },
  { title: 'for await over promises', make: () => async () => { let sum = 0; for await (const n of [1, settle(2), Promise.resolve(3)]) sum += n; return sum * step }, gives: 12 },
  { title: 'yield* of a captured generator', make: () => () => { function* twice(): Generator<number> { yield* count(3); yield* count(3) } return [...twice()] }, gives: [0, 2, 0, 2] },
  { title: 'a generator that receives values', make: () => () => { function* sum(): Generator<number, void, number> { let total = 0; while (true) total += yield total * step } const it = sum(); it.next(); it.next(3); return it.next(4).value }, gives: 14 },
  { title: 'Promise.all over captured async functions', make: () => async () => await Promise.all([settle(1), settle(step), settle([3])]), gives: [1, 2, [3]] },
  { title: 'an await in every place', make: () => async (x: number) => { const o = { [await settle('k')]: await settle(x) }; return (await settle(o))?.['k'] ?? (await settle(0)) }, args: [5], gives: 5 },
  { title: 'try, catch and finally around an await', make: () => async () => { const log: string[] = []; try { await Promise.reject(new Error('no')) } catch (error) { log.push((error as Error).message) } finally { log.push('finally') } return log }, gives: ['no', 'finally'] },
  { title: 'an async iterator written by hand', make: () => async () => { const lines = { async *[Symbol.asyncIterator]() { yield 'a'; yield 'b' } }; let text = ''; for await (const line of lines) text += line; return text }, gives: 'ab' },
  { title: 'a timer awaited inside', make: () => async () => await new Promise<string>((resolve) => { setTimeout(() => resolve(`after ${step}`), 1) }), gives: 'after 2' },
  { title: 'a generator as the task', make: () => count, args: [4], unreturnable: /^result is an? (Generator|Iterator)/ },
]
