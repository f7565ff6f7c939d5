import { DecodeError, ImproperlyConfigured } from '../errors.ts'
import { isBuiltinErrorName } from './error-classes.ts'
import { isThenable } from './thenable.ts'

/** A class whose values may be registered, abstract ones included. */
export type TypeClass<T extends object> = abstract new (...args: never[]) => T

/** How the values of a class travel. */
export interface TypeDescription<T extends object, W = unknown> {
  /** The name on the wire, the same in every process: `money`. */
  readonly name: string
  /** What travels instead of the value: anything that can travel. Synchronous. */
  readonly toWire?: ((value: T) => W) | undefined
  /** Makes the value again, in the other process; may be async. */
  readonly fromWire?: ((wire: W) => T | Promise<T>) | undefined
  /** A value that a module of the project exports is imported from there; `toWire` is for the others. Default false. */
  readonly byReference?: boolean | undefined
}

/** A registered class. One of errors may be without codec: message, stack and own fields travel anyway. */
export interface RegisteredType {
  readonly name: string
  readonly prototype: object
  readonly codec: { toWire(value: object): unknown; fromWire(wire: unknown): unknown } | undefined
  readonly byReference: boolean
}

/**
 * The classes whose values travel in a way of their own.
 *
 * It is the exact class that counts, as with superjson: a value of a subclass is refused until that is registered too, because it
 * would come back as the ancestor. Both processes have to register the same classes under the same names.
 */
export class TypeRegistry {
  readonly #byPrototype = new Map<object, RegisteredType>()
  readonly #byName = new Map<string, RegisteredType>()
  readonly #errors = new Map<string, { readonly prototype: Error }>()

  /**
   * Registers a class. The same class under the same name again replaces its description.
   * @throws {@link ImproperlyConfigured} for what is no class or no description of one, and for a name or a class that is taken.
   */
  register<T extends object, W>(type: TypeClass<T>, description: TypeDescription<T, W>): void {
    const read = readType(type, description)
    const { name, prototype } = read
    const named = this.#byName.get(name)
    if (named !== undefined && named.prototype !== prototype) {
      throw invalid(`The name "${name}" is registered for another class. Choose another name, the same in every process.`)
    }
    const registered = this.#byPrototype.get(prototype)
    if (registered !== undefined && registered.name !== name) {
      throw invalid(`The class ${type.name} is registered already, as "${registered.name}". Register it once.`)
    }
    this.#byPrototype.set(prototype, read)
    this.#byName.set(name, read)
    if (prototype instanceof Error) this.#errors.set(name, { prototype })
  }

  /** The registered classes of errors, by name. */
  get errors(): ReadonlyMap<string, { readonly prototype: Error }> {
    return this.#errors
  }

  /** The names of all registered types. */
  get names(): readonly string[] {
    return [...this.#byName.keys()]
  }

  /** The type of instances with this very prototype. */
  withPrototype(prototype: object): RegisteredType | undefined {
    return this.#byPrototype.get(prototype)
  }

  /** The type of that name. */
  named(name: string): RegisteredType | undefined {
    return this.#byName.get(name)
  }
}

/** A registry without types. */
export const NO_TYPES: TypeRegistry = new TypeRegistry()

/** One registry that looks into others, asked for anew each time: applications may be made later. The first that knows a type wins. */
export function joinTypes(registries: () => readonly TypeRegistry[]): TypeRegistry {
  return new JoinedTypes(registries)
}

class JoinedTypes extends TypeRegistry {
  readonly #registries: () => readonly TypeRegistry[]

  constructor(registries: () => readonly TypeRegistry[]) {
    super()
    this.#registries = registries
  }

  override get errors(): ReadonlyMap<string, { readonly prototype: Error }> {
    return new Map(this.#registries().toReversed().flatMap((registry) => [...registry.errors]))
  }

  override get names(): readonly string[] {
    return this.#registries().flatMap((registry) => registry.names)
  }

  override withPrototype(prototype: object): RegisteredType | undefined {
    for (const registry of this.#registries()) {
      const type = registry.withPrototype(prototype)
      if (type !== undefined) return type
    }
    return undefined
  }

  override named(name: string): RegisteredType | undefined {
    for (const registry of this.#registries()) {
      const type = registry.named(name)
      if (type !== undefined) return type
    }
    return undefined
  }
}

/** The registered type of a value, by its exact class. */
export function typeOf(value: object, types: TypeRegistry): RegisteredType | undefined {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null ? undefined : types.withPrototype(prototype as object)
}

/** The nearest registered class with a codec that the value's class extends. */
export function ancestorOf(value: object, types: TypeRegistry): RegisteredType | undefined {
  for (let step: unknown = Object.getPrototypeOf(value); step !== null; step = Object.getPrototypeOf(step)) {
    const type = types.withPrototype(step as object)
    if (type?.codec !== undefined) return type
  }
  return undefined
}

/** The type of that name. @throws {@link DecodeError} that says which names are known. */
export function requireType(name: string, types: TypeRegistry): RegisteredType {
  const type = types.named(name)
  if (type !== undefined) return type
  const known = types.names.map((other) => `"${other}"`).join(', ') || 'none'
  throw new DecodeError(
    `Cannot read a value of type ${JSON.stringify(name.slice(0, 100))}: no such type is registered in this process (known: ${known}). ` +
      'Register it in a module that the worker loads.',
  )
}

/** What `toWire` makes of a value. @throws TypeError when that is a promise. */
export function toWire(type: RegisteredType, value: object): unknown {
  const wire = type.codec?.toWire(value)
  if (!isThenable(wire)) return wire
  // Its failure has no other reader.
  wire.then(undefined, () => {})
  throw new TypeError('it gave a promise, but values are read at once, when submit is called')
}

function readType(type: unknown, given: unknown): RegisteredType {
  const prototype: unknown = typeof type === 'function' ? type.prototype : undefined
  if (typeof type !== 'function' || typeof prototype !== 'object' || prototype === null) throw invalid(`Expected a class to register, got ${typeof type}.`)
  if (typeof given !== 'object' || given === null) throw invalid(`Expected { name, toWire, fromWire } for the class ${type.name}, got ${typeof given}.`)
  const { name, toWire: write, fromWire: read } = given as Partial<Record<string, unknown>>
  if (typeof name !== 'string' || name === '' || name.length > 100) {
    throw invalid(`Expected a name of 1 to 100 characters for the class ${type.name}, got ${JSON.stringify(name) ?? typeof name}.`)
  }
  if (name.startsWith('celeriac.') || isBuiltinErrorName(name)) throw invalid(`The name "${name}" has a meaning of its own. Choose another for the class ${type.name}.`)
  if (write === undefined && read === undefined && prototype instanceof Error) return { name, prototype, codec: undefined, byReference: false }
  if (typeof write !== 'function' || typeof read !== 'function') {
    throw invalid(`Expected toWire and fromWire, two functions, for the class ${type.name}. Only a class of errors needs none.`)
  }
  return { name, prototype, codec: given as NonNullable<RegisteredType['codec']>, byReference: (given as { byReference?: unknown }).byReference === true }
}

function invalid(problem: string): ImproperlyConfigured {
  return new ImproperlyConfigured([problem])
}
