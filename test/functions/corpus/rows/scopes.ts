/* oxlint-disable no-var -- odd code is what is tried */
import type { Row, Task } from '../row.ts'

const name = 'module'
const size = 2
let changed = 'before'
changed = 'after'
var older = 'var'

const perLet: Task[] = []
for (let i = 0; i < 3; i++) perLet.push(() => i * 10)

const perOf: Task[] = []
for (const word of ['x', 'y']) perOf.push(() => word + size)

const perIn: Task[] = []
for (const key in { a: 1, b: 2 }) perIn.push(() => key)

const perWhile: Task[] = []
let turns = 0
while (turns < 2) {
  const turn = turns++
  perWhile.push(() => turn)
}

const nested: Task[] = []
for (let i = 0; i < 2; i++) for (let j = 0; j < 2; j++) nested.push(() => [i, j])

function pick(tasks: readonly Task[], index: number): Task {
  const found = tasks[index]
  if (found === undefined) throw new Error(`Expected a task at ${index}`)
  return found
}

export const rows: readonly Row[] = [
  { title: 'the second turn of a for loop', make: () => pick(perLet, 1), gives: 10 },
  { title: 'the third turn of the same loop', make: () => pick(perLet, 2), gives: 20 },
  { title: 'the first turn of a for-of loop', make: () => pick(perOf, 0), gives: 'x2' },
  { title: 'the second turn of a for-of loop', make: () => pick(perOf, 1), gives: 'y2' },
  { title: 'a turn of a for-in loop', make: () => pick(perIn, 1), gives: 'b' },
  { title: 'a turn of a while loop', make: () => pick(perWhile, 1), gives: 1 },
  { title: 'a turn of nested loops', make: () => pick(nested, 2), gives: [1, 0] },
  { title: 'a loop that uses var', make: () => { const made: Task[] = []; for (var i = 0; i < 3; i++) made.push(() => i); return pick(made, 0) }, gives: 3 },
  { title: 'closures made by map', make: () => pick([1, 2, 3].map((n, index, all) => () => n * index * all.length), 2), gives: 18 },
  { title: 'a let that was assigned before', make: () => () => changed, gives: 'after' },
  { title: 'a var', make: () => () => older, gives: 'var' },
  { title: 'an inner variable of a captured name', make: () => () => { const name = 'inner'; return name }, gives: 'inner' },
  { title: 'an inner variable in one block only', make: () => () => { let seen = ''; { const name = 'block'; seen += name } return seen + name }, gives: 'blockmodule' },
  { title: 'a var that shadows from a block', make: () => () => { { var name = 'hoisted' } return name }, gives: 'hoisted' },
  { title: 'an inner function that shadows', make: () => () => { return name() + size; function name(): string { return 'function' } }, gives: 'function2' },
  { title: 'an inner class that shadows', make: () => () => { class name { static is = 'class' } return name.is }, gives: 'class' },
  { title: 'a catch parameter that shadows', make: () => () => { try { throw new Error('caught') } catch (name) { return (name as Error).message } }, gives: 'caught' },
  { title: 'a catch without a parameter', make: () => () => { try { throw new Error(name) } catch { return name } }, gives: 'module' },
  { title: 'a loop variable that shadows', make: () => () => { let seen = ''; for (const name of ['a', 'b']) seen += name; return seen + name }, gives: 'abmodule' },
  { title: 'a label of a captured name', make: () => () => { name: for (;;) { for (;;) break name } return name }, gives: 'module' },
  { title: 'a label with continue', make: () => () => { const seen: number[] = []; size: for (let i = 0; i < 3; i++) { for (;;) { if (i === 1) continue size; break } seen.push(i) } return [...seen, size] }, gives: [0, 2, 2] },
  { title: 'a property of a captured name', make: () => (o: { name: string }) => o.name + name, args: [{ name: 'own ' }], gives: 'own module' },
  { title: 'an object key of a captured name', make: () => () => ({ name: 1, size }), gives: { name: 1, size: 2 } },
  { title: 'a function expression named as a captured one', make: () => function name(n: number): number { return n === 0 ? 0 : n + name(n - 1) }, args: [3], gives: 6 },
  { title: 'a class expression named as a captured one', make: () => () => (class name { static twice = (): string => typeof name }).twice() + name, gives: 'functionmodule' },
  { title: 'a switch with its own scope', make: () => (x: number) => { switch (x) { case 1: { const name = 'one'; return name } default: return name } }, args: [2], gives: 'module' },
  { title: 'three scopes with the same name', make: () => { const name = 'middle'; return () => { const read = (): string => name; return [read(), ((name: string) => name)('inner')] } }, gives: ['middle', 'inner'] },
  { title: 'names of two makers kept apart', make: () => { const maker = (n: number): Task => () => n; const one = maker(1); const two = maker(2); return () => [(one as () => number)(), (two as () => number)()] }, gives: [1, 2] },
  { title: 'a captured name used only deep inside', make: () => () => [0].map(() => [0].map(() => [0].map(() => name))).flat(3)[0], gives: 'module' },
  { title: 'a variable assigned after the function was made', make: () => { let late = 'early'; const task = (): string => late; late = 'late'; return task }, gives: 'late' },
  { title: 'a local that is declared further down', make: () => () => { const read = (): string => later; const later = 'down'; return read() }, gives: 'down' },
  { title: 'a parameter named undefined elsewhere', make: () => (undefined_: number | undefined) => undefined_ === undefined, gives: true },
]
