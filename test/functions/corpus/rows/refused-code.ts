import type { Row, Task } from '../row.ts'

let counter = 0
let pairFirst = 0
let pairSecond = 0
let loopTarget = ''
let inherited = 0
let fallbackSet: number | undefined
const plain = 'plain'

const holder = {
  label: 'holder',
  own(): string {
    return this.label
  },
  makeArrow(): Task {
    return () => this.label
  },
  parentText(): string {
    return super.toString()
  },
}

class Safe {
  #code = 1
  static make(): Task {
    return (safe: Safe) => safe.#code
  }
  open(this: Safe | undefined): boolean {
    return this !== undefined && #code in this
  }
  arrowInside = (): number => this.#code
}

class Base {
  hello(): string {
    return 'base'
  }
}
class Derived extends Base {
  makeArrow(): Task {
    return () => super.hello()
  }
}

function outer(this: unknown, ..._given: unknown[]): Task {
  return () => arguments.length
}

function Made(this: unknown): Task {
  return () => new.target === undefined
}

const increments = (): number => (counter += 1)

export const rows: readonly Row[] = [
  { title: 'assignment to a captured variable', make: () => () => { counter = 1 }, refused: /\bcounter\b/ },
  { title: 'compound assignment to a captured variable', make: () => () => (counter += 1), refused: /\bcounter\b/ },
  { title: 'an increment of a captured variable', make: () => () => counter++, refused: /\bcounter\b/ },
  { title: 'a decrement of a captured variable', make: () => () => --counter, refused: /\bcounter\b/ },
  { title: 'logical assignment to a captured variable', make: () => () => (fallbackSet ??= 1), refused: /\bfallbackSet\b/ },
  { title: 'destructuring into captured variables', make: () => () => { [pairFirst, pairSecond] = [pairSecond, pairFirst] }, refused: /\bpair(First|Second)\b/ },
  { title: 'object destructuring into a captured variable', make: () => (o: { a: number }) => { ({ a: pairFirst } = o) }, args: [{ a: 1 }], refused: /\bpairFirst\b/ },
  { title: 'a for-of loop that assigns a captured variable', make: () => () => { for (loopTarget of ['a']) break; return loopTarget }, refused: /\bloopTarget\b/ },
  { title: 'a for-in loop that assigns a captured variable', make: () => () => { for (loopTarget in { a: 1 }) break }, refused: /\bloopTarget\b/ },
  { title: 'assignment in a function inside', make: () => () => [1].forEach(() => { inherited += 1 }), refused: /\binherited\b/ },
  { title: 'assignment in a captured function', make: () => () => increments(), refused: /\bcounter\b/ },
  { title: 'assignment to a variable of its maker', make: () => { let mine = 0; return () => (mine += 1) }, refused: /\bmine\b/ },
  // oxlint-disable-next-line no-eval -- it is what is tried
  { title: 'direct eval', make: () => () => eval('plain') as unknown, refused: /\beval\b/ },
  { title: 'this of an outer scope', make: () => holder.makeArrow(), refused: /\bthis\b/ },
  { title: 'this of an outer scope, two arrows deep', make: () => function (this: unknown) { return () => [1].map(() => this) }.call({ plain }), refused: /\bthis\b/ },
  { title: 'arguments of an outer scope', make: () => outer(1, 2), refused: /\barguments\b/ },
  { title: 'new.target of an outer scope', make: () => Made.call({}), refused: /new\.target/ },
  { title: 'super of an outer scope', make: () => new Derived().makeArrow(), refused: /\b(super|this)\b/ },
  { title: 'a method that uses its object', make: () => holder.own, refused: /\bthis\b/ },
  { title: 'a method of an object that uses super', make: () => holder.parentText, refused: /\bsuper\b/ },
  { title: 'a function that uses a private name of its class', make: () => Safe.make(), args: () => [new Safe()], refused: /#code/ },
  { title: 'a method that asks for a private name of its class', make: () => new Safe().open, refused: /#code|\bthis\b/ },
  { title: 'an arrow in a field that uses its instance', make: () => new Safe().arrowInside, refused: /\bthis\b|#code/ },
  { title: 'a captured variable before it has a value', make: early, refused: /\btooEarly\b/ },
  { title: 'assignment in a captured function, named with its place', make: () => () => [increments()], refused: /\bcounter\b.*(refused-code|run)\.\w+:\d+|(refused-code|run)\.\w+:\d+.*\bcounter\b/s },
]

/** A closure over a variable that does not get as far as its value. */
function early(): Task {
  const task = (): string => tooEarly
  if (Date.now() > 0) return task
  const tooEarly = String(Date.now())
  return () => tooEarly
}
