import { Vector } from '../modules/maths.ts'
import type { Row } from '../row.ts'

const unit = 'm'

class Point {
  x: number
  y: number
  constructor(x: number, y: number) {
    this.x = x
    this.y = y
  }
  plus(other: Point): Point {
    return new Point(this.x + other.x, this.y + other.y)
  }
  toString(): string {
    return `(${this.x}${unit}, ${this.y}${unit})`
  }
}

class Point3 extends Point {
  z: number
  constructor(x: number, y: number, z: number) {
    super(x, y)
    this.z = z
  }
  override toString(): string {
    return `${super.toString()} at ${this.z}`
  }
}

class Account {
  #balance = 0
  static #fee = 1
  static open(): Account {
    return new Account()
  }
  deposit(amount: number): this {
    this.#balance += this.#after(amount)
    return this
  }
  #after(amount: number): number {
    return amount - Account.#fee
  }
  get balance(): number {
    return this.#balance
  }
  static is(value: object): boolean {
    return #balance in value
  }
}

class Registry {
  static readonly names: string[] = ['first']
  static size: number
  static {
    Registry.names.push('from the block')
    Registry.size = Registry.names.length
  }
}

class Celsius {
  degrees = 0
  get fahrenheit(): number {
    return this.degrees * 1.8 + 32
  }
  set fahrenheit(value: number) {
    this.degrees = (value - 32) / 1.8
  }
  static get zero(): Celsius {
    return new Celsius()
  }
}

type Constructor = new (...args: never[]) => object

const Named = <T extends Constructor>(Base: T): T & (new (...args: never[]) => { label(): string }) =>
  class extends (Base as unknown as new () => object) {
    label(): string {
      return `named in ${unit}`
    }
  } as never

const Anonymous = class {
  value = 7
}

const SelfNamed = class Inner {
  static make(): Inner {
    return new Inner()
  }
  kind(): string {
    return Inner.name
  }
}

class Iterable3 {
  *[Symbol.iterator](): Generator<number> {
    yield 1
    yield* [2, 3]
  }
}

class Stack<T> extends Array<T> {
  top(): T | undefined {
    return this.at(-1)
  }
}

class ValidationError extends Error {
  readonly field: string
  constructor(field: string) {
    super(`${field} is wrong`)
    this.name = 'ValidationError'
    this.field = field
  }
}

class Lazy {
  readonly factor = 3
  readonly times = (x: number): number => x * this.factor
}

export const rows: readonly Row[] = [
  { title: 'a captured class', make: () => () => String(new Point(1, 2).plus(new Point(3, 4))), gives: '(4m, 6m)' },
  { title: 'a captured class with a superclass and super calls', make: () => () => [String(new Point3(1, 2, 3)), new Point3(0, 0, 0) instanceof Point], gives: ['(1m, 2m) at 3', true] },
  { title: 'an imported class', make: () => () => new Vector(3, 4).length(), gives: 5 },
  { title: 'a class that extends an imported one', make: () => ((Longer) => () => new Longer(3, 4).length())(class extends Vector { override length(): number { return super.length() * 2 } }), gives: 10 },
  { title: 'an instance of an exported class as argument', make: () => (v: Vector) => [v instanceof Vector, v.length()], args: () => [new Vector(6, 8)], gives: [true, 10] },
  { title: 'an instance of a class that is not exported as argument', make: () => (p: Point) => [p instanceof Point, String(p)], args: () => [new Point(1, 2)], gives: [true, '(1m, 2m)'] },
  { title: 'an instance of a subclass as argument', make: () => (p: Point) => [p instanceof Point, p instanceof Point3, String(p)], args: () => [new Point3(1, 2, 3)], gives: [true, true, '(1m, 2m) at 3'] },
  { title: 'a captured instance', make: () => ((origin) => (x: number) => String(origin.plus(new Point(x, x))))(new Point(1, 1)), args: [2], gives: '(3m, 3m)' },
  { title: 'a captured instance of an exported class', make: () => ((v) => () => [v.length(), v instanceof Vector])(Vector.of(5, 12)), gives: [13, true] },
  { title: 'a class with private fields and methods', make: () => () => Account.open().deposit(10).deposit(5).balance, gives: 13 },
  { title: 'a class with a private brand check', make: () => () => [Account.is(new Account()), Account.is({})], gives: [true, false] },
  { title: 'a class with a private static field that is as it was written', make: () => () => new Account().deposit(3).balance, gives: 2 },
  { title: 'static fields and blocks', make: () => () => [Registry.names.slice(0, 2), Registry.size], gives: [['first', 'from the block'], 2] },
  { title: 'accessors of a class', make: () => () => { const t = Celsius.zero; t.fahrenheit = 212; return [t.degrees, t.fahrenheit] }, gives: [100, 212] },
  { title: 'a mixin', make: () => ((Mixed) => () => { const mixed = new Mixed(); return mixed.label() })(Named(class {})), gives: 'named in m' },
  { title: 'a mixin over a captured class', make: () => ((Mixed) => () => { const mixed = new Mixed(1 as never, 2 as never) as unknown as Point & { label(): string }; return [mixed.label(), mixed instanceof Point] })(Named(Point)), gives: ['named in m', true] },
  { title: 'an anonymous class', make: () => () => new Anonymous().value, gives: 7 },
  { title: 'a class expression with a name of its own', make: () => () => SelfNamed.make() instanceof SelfNamed, gives: true },
  { title: 'a class that iterates', make: () => () => [...new Iterable3()], gives: [1, 2, 3] },
  { title: 'a class that extends Array', make: () => () => Stack.from([1, 2, 3]).length + (new Stack<number>(1, 2).top() ?? 0), gives: 5 },
  { title: 'a class that extends Error', make: () => () => { const error = new ValidationError('age'); return [error instanceof Error, error.name, error.message, error.field] }, gives: [true, 'ValidationError', 'age is wrong', 'age'] },
  { title: 'a class whose fields are arrows', make: () => () => { const { times } = new Lazy(); return times(4) }, gives: 12 },
  {
    title: 'a class made inside the function',
    make: () => (x: number) => {
      class Local {
        #x: number
        static scale = 2
        constructor(value: number) {
          this.#x = value
        }
        get scaled(): number {
          return this.#x * Local.scale
        }
        set scaled(value: number) {
          this.#x = value
        }
      }
      const local = new Local(x)
      local.scaled = x + 1
      return local.scaled
    },
    args: [4],
    gives: 10,
  },
  { title: 'a class made inside that extends a captured one', make: () => () => String(new (class extends Point { override toString(): string { return `local ${super.toString()}` } })(1, 2)), gives: 'local (1m, 2m)' },
  { title: 'a class that captures a function', make: () => { const double = (x: number): number => x * 2; class Doubler { run(x: number): number { return double(x) } } return (x: number) => new Doubler().run(x) }, args: [4], gives: 8 },
  { title: 'two classes that name each other', make: () => { class A { other(): string { return new B().name() } name(): string { return 'a' } } class B { other(): string { return new A().name() } name(): string { return 'b' } } return () => new A().other() + new B().other() }, gives: 'ba' },
  { title: 'new.target in a captured class', make: () => { class Base { kind: string; constructor() { this.kind = new.target === Base ? 'base' : 'derived' } } class Derived extends Base {} return () => [new Base().kind, new Derived().kind] }, gives: ['base', 'derived'] },
  { title: 'a class passed as argument', make: () => (Made: new (x: number, y: number) => Point) => String(new Made(1, 2)), args: () => [Point], gives: '(1m, 2m)' },
]
