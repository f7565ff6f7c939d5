import type { Row, Task } from '../row.ts'

const key = 'computed'
const mark = Symbol('mark')
const unit = 'px'

const methods = {
  short(x: number): string {
    return x + unit
  },
  [key + 'Name'](x: number): string {
    return `computed ${x}${unit}`
  },
  'quoted name'(x: number): string {
    return `quoted ${x}`
  },
  42(x: number): number {
    return x + 42
  },
  async later(x: number): Promise<string> {
    return (await Promise.resolve(x)) + unit
  },
  *each(n: number): Generator<number> {
    for (let i = 0; i < n; i++) yield i
  },
  async *eachLater(n: number): AsyncGenerator<string> {
    for (let i = 0; i < n; i++) yield i + unit
  },
  get(x: number): string {
    return `get ${x}`
  },
  set(x: number): string {
    return `set ${x}`
  },
  async(x: number): string {
    return `async ${x}`
  },
  static(x: number): string {
    return `static ${x}`
  },
  async await(): Promise<string> {
    return 'await'
  },
  delete(x: number): string {
    return `delete ${x}`
  },
  [mark](x: number): string {
    return `symbol ${x}`
  },
  get got(): string {
    return `got ${unit}`
  },
  arrow: (x: number): string => `arrow ${x}${unit}`,
  expression: function (x: number): string {
    return `expression ${x}${unit}`
  },
  名前(x: number): string {
    return `unicode ${x}`
  },
}

class Shape {
  static sides = 4
  static describe(x: number): string {
    return `static ${x}${unit}`
  }
  static byName = (x: number): string => `${x} of ${Shape.sides}`
  static async later(x: number): Promise<number> {
    return x + Shape.sides
  }
  plain(x: number): string {
    return `plain ${x}${unit}`
  }
  field = (x: number): string => `field ${x}${unit}`
}

function getterOf(holder: object, name: string): Task {
  const getter = Object.getOwnPropertyDescriptor(holder, name)?.get
  if (getter === undefined) throw new Error(`Expected a getter named ${name}`)
  return getter
}

export const rows: readonly Row[] = [
  { title: 'a method', make: () => methods.short, args: [1], gives: '1px' },
  { title: 'a method with a computed name', make: () => methods['computedName'] as Task, args: [1], gives: 'computed 1px' },
  { title: 'a method with a quoted name', make: () => methods['quoted name'], args: [1], gives: 'quoted 1' },
  { title: 'a method with a number for its name', make: () => methods[42], args: [1], gives: 43 },
  { title: 'a method with a symbol for its name', make: () => methods[mark], args: [1], gives: 'symbol 1' },
  { title: 'a method with a name in another script', make: () => methods.名前, args: [1], gives: 'unicode 1' },
  { title: 'an async method', make: () => methods.later, args: [1], gives: '1px' },
  { title: 'an async method named await', make: () => methods.await, gives: 'await' },
  { title: 'a captured generator method', make: () => ((each) => (n: number) => [...each(n)])(methods.each), args: [3], gives: [0, 1, 2] },
  {
    title: 'a captured async generator method',
    make: () => {
      const { eachLater } = methods
      return async (n: number) => {
        const found: string[] = []
        for await (const one of eachLater(n)) found.push(one)
        return found
      }
    },
    args: [2],
    gives: ['0px', '1px'],
  },
  { title: 'methods named get, set, async and static', make: () => ((get, set, later, own) => () => [get(1), set(2), later(3), own(4)])(methods.get, methods.set, methods.async, methods.static), gives: ['get 1', 'set 2', 'async 3', 'static 4'] },
  { title: 'a method named get as the task', make: () => methods.get, args: [1], gives: 'get 1' },
  { title: 'a method named static as the task', make: () => methods.static, args: [1], gives: 'static 1' },
  { title: 'a method named delete', make: () => methods.delete, args: [1], gives: 'delete 1' },
  { title: 'a getter taken as a function', make: () => getterOf(methods, 'got'), gives: 'got px' },
  { title: 'an arrow that is a property', make: () => methods.arrow, args: [1], gives: 'arrow 1px' },
  { title: 'a function that is a property', make: () => methods.expression, args: [1], gives: 'expression 1px' },
  { title: 'a static method', make: () => Shape.describe, args: [1], gives: 'static 1px' },
  { title: 'a static async method that names its class', make: () => Shape.later, args: [1], gives: 5 },
  { title: 'a static field that is an arrow', make: () => Shape.byName, args: [1], gives: '1 of 4' },
  { title: 'a method of an instance that does not use it', make: () => new Shape().plain, args: [1], gives: 'plain 1px' },
  { title: 'a field of an instance that is an arrow', make: () => new Shape().field, args: [1], gives: 'field 1px' },
]
