import { createRequire } from 'node:module'
import path from 'node:path'
import { level, setLevel } from '../modules/state.ts'
import { type Row, type Task, under } from '../row.ts'

const BUNDLES = ['esbuild bundle', 'esbuild bundle, minified']

// Names that a rebuilt function's surroundings might use for themselves, or that every object has.
const __proto__ = 'proto'
const constructor = 'constructor'
const toString = 'toString'
const hasOwnProperty = 'own'
const $superclass = 'mine'
const $import = 'mine too'
const make = 'make'
const assign = 'assign'
const names = 'names'
const globalThisOwn = globalThis
const key = 'chosen'
const { log } = console
const { env } = process
const need = createRequire(path.resolve('package.json'))

class Keyed {
  [key](): string {
    return `by ${key}`
  }
  static [`${key}Static`](): number {
    return 1
  }
}

class Counted {
  static count = 0
  static name2 = 'static'
  static bump(): number {
    Counted.count += 1
    return Counted.count
  }
}

class NamedStatic {
  static override = 1
  static describe(): string {
    return `${this.override}`
  }
}
Object.assign(NamedStatic, { added: 'later' })

class Even {
  static [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'number' && value % 2 === 0
  }
}

class Money {
  readonly #cents: number
  constructor(cents: number) {
    this.#cents = cents
  }
  static readonly zero: Money = new Money(0)
  static sum(values: readonly number[]): number {
    return values.reduce((sum, value) => sum + new Money(value).#cents, Money.zero.#cents)
  }
}

class Base {
  static create(): string {
    return `created ${this.name.length > 0}`
  }
  static shared = 'from the base'
}
class Child extends Base {}

class Tree<T> {
  readonly value: T
  readonly children: Tree<T>[] = []
  constructor(value: T) {
    this.value = value
  }
  add(child: Tree<T>): this {
    this.children.push(child)
    return this
  }
  *[Symbol.iterator](): Generator<T> {
    yield this.value
    for (const child of this.children) yield* child
  }
}
const tree = new Tree('root').add(new Tree('leaf').add(new Tree('tip')))

const inherited = Object.create({ greeting: 'hello' }) as { greeting: string }
const iterable = {
  *[Symbol.iterator]() {
    yield 1
  },
}
const linked = Array.from({ length: 3000 }).reduce<{ next: unknown }>((next) => ({ next }), { next: null })
const nested = Array.from({ length: 200 }).reduce<(x: number) => number>((inner) => (x) => inner(x) + 1, (x) => x)

const memo = new Map<number, number>()
const slowSquare = (n: number): number => {
  const known = memo.get(n)
  if (known !== undefined) return known
  memo.set(n, n * n)
  return n * n
}

function decorated(): Task {
  const wrap =
    <A extends readonly unknown[], R>(fn: (...args: A) => R) =>
    (...args: A): readonly R[] => [fn(...args)]
  return wrap(wrap((x: number) => x + 1))
}

export const rows: readonly Row[] = [
  { title: 'captured names that every object has', make: () => () => [__proto__, constructor, toString, hasOwnProperty], gives: ['proto', 'constructor', 'toString', 'own'] },
  { title: 'captured names of what rebuilds functions', make: () => () => [$superclass, $import, make, assign, names], gives: ['mine', 'mine too', 'make', 'assign', 'names'] },
  { title: 'a captured name $superclass beside a class that extends', make: () => { class Up { up = 1 } return () => { class Down extends Up { text = $superclass } return [new Down().up, new Down().text] } }, gives: [1, 'mine'] },
  { title: 'captured globalThis', make: () => () => globalThisOwn === globalThis, gives: true },
  { title: 'a captured function of the console', make: () => () => typeof log, gives: 'function' },
  { title: 'a captured environment is that of the worker', make: () => () => typeof env['PATH'], gives: 'string' },
  { title: 'a captured require of createRequire', make: () => () => need('node:os') as unknown, refused: /\bneed\b/ },
  { title: 'a class with computed member names', make: () => () => [new Keyed().chosen(), (Keyed as unknown as Record<string, () => number>)['chosenStatic']?.()], gives: ['by chosen', 1] },
  { title: 'a static field that changed before the submit', make: () => { Counted.count = 5; return () => Counted.count }, after: () => { Counted.count = 50 }, gives: 5 },
  { title: 'a static method that changes a static field', make: () => { Counted.count = 7; return () => [Counted.bump(), Counted.bump()] }, gives: [8, 9] },
  { title: 'a static property added later', make: () => () => [(NamedStatic as unknown as { added: string }).added, NamedStatic.describe()], gives: ['later', '1'] },
  { title: 'a class with its own instanceof', make: () => () => [(4 as unknown) instanceof Even, (3 as unknown) instanceof Even], gives: [true, false] },
  { title: 'a class that keeps an instance of itself', make: () => () => Money.sum([1, 2, 3]), refused: /#cents/ },
  { title: 'inherited static members', make: () => () => [Child.create(), Child.shared, Object.hasOwn(Child, 'shared')], gives: ['created true', 'from the base', false] },
  { title: 'a tree of instances', make: () => () => [[...tree], tree.children[0] instanceof Tree], gives: [['root', 'leaf', 'tip'], true] },
  { title: 'an object with another prototype', make: () => () => inherited.greeting, refused: /\binherited\d*\b/ },
  { title: 'a captured object that iterates', make: () => () => [...iterable], refused: /\biterable\b/ },
  { title: 'a list of three thousand links', make: () => () => { let n = 0; for (let at: { next: unknown } | null = linked; at; at = at.next as typeof linked | null) n += 1; return n }, gives: 3001 },
  { title: 'two hundred functions, each in the next', make: () => nested, args: [0], gives: 200 },
  { title: 'a captured cache', make: () => { memo.set(3, 9); return (n: number) => [slowSquare(n), slowSquare(3), memo.size] }, args: [4], gives: [16, 9, 2] },
  { title: 'a function wrapped twice', make: decorated, args: [1], gives: [[2]] },
  { title: 'a default that reads arguments', make: () => function (a: number, b = arguments.length) { return [a, b] }, args: [1], gives: [1, 1] },
  { title: 'a template over several lines', make: () => (x: number) => `first ${x}
    second
  ${[x].map((y) => {
    return `inner
${y}`
  }).join()}
`, args: [1], gives: 'first 1\n    second\n  inner\n1\n' },
  { title: 'a string over several lines', make: () => () => 'one \
two', gives: 'one two' },
  { title: 'increments beside line ends', make: () => (x: number) => {
    let a = x
    const b = a
    ++a
    const c = a++
    return [a, b, c]
  }, args: [1], gives: [3, 1, 2] },
  { title: 'the worker’s path of a relative file', make: () => () => path.basename(path.join('a', '..', 'b')), gives: 'b' },
  {
    title: 'an imported variable has the value that its module gives it in the worker',
    make: () => {
      setLevel(2)
      return () => level
    },
    gives: 1,
    here: { gives: 2 },
    differs: under(BUNDLES, { gives: 2, why: 'nothing of a bundle is imported, so the variable travels with its value here' }),
  },
]
