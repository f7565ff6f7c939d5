import type { Row } from '../row.ts'

let price = 1
const total = (count: number): number => count * price
const box = { n: 1, list: [1] }
const box2 = { n: 1 }
let strategy = (x: number): number => x + 1
const apply = (x: number): number => strategy(x)
const cache = new Map([['a', 1]])
const argument = { n: 1 }

export const rows: readonly Row[] = [
  { title: 'the first submit of a function sees the value then', make: () => { price = 2; return total }, args: [10], gives: 20 },
  { title: 'the second submit of it sees the value that there is now', make: () => { price = 3; return total }, args: [10], gives: 30 },
  { title: 'a variable assigned after the submit', make: () => { price = 4; return total }, args: [10], after: () => { price = 400 }, gives: 40 },
  { title: 'an object changed after the submit', make: () => { box.n = 5; box.list.length = 1; return () => [box.n, box.list] }, after: () => { box.n = 6; box.list.push(2) }, gives: [5, [1]] },
  { title: 'an object changed between two submits', make: () => { box2.n += 1; const now = box2.n; return () => now === box2.n }, gives: true },
  { title: 'a captured function replaced between two submits, before', make: () => { strategy = (x) => x + 1; return apply }, args: [1], gives: 2 },
  { title: 'a captured function replaced between two submits, after', make: () => { strategy = (x) => x * 100; return apply }, args: [1], after: () => { strategy = (x) => x }, gives: 100 },
  { title: 'a Map changed after the submit', make: () => { cache.set('a', 1); return () => cache.get('a') }, after: () => { cache.clear() }, gives: 1 },
  { title: 'an argument changed after the submit', make: () => { argument.n = 1; return (o: { n: number }) => o.n }, args: [argument], after: () => { argument.n = 2 }, gives: 1 },
  { title: 'what the task changes stays in the worker', make: () => { const mine = { n: 1 }; return () => { mine.n += 1; return mine.n } }, gives: 2 },
]
