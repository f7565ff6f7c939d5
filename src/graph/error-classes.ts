import * as ours from '../errors.ts'

/** What the classes that need no reference are called on the wire: JavaScript's own, and this library's with a prefix. */
const BY_NAME: ReadonlyMap<string, object> = new Map<string, object>([
  ...builtins().map((Class) => [Class.name, Class.prototype] as const),
  ...Object.values(ours).map((Class) => [`celeriac.${Class.name}`, Class.prototype] as const),
])

const BY_PROTOTYPE: ReadonlyMap<object, string> = new Map([...BY_NAME].map(([name, prototype]) => [prototype, name]))

/** The wire name of the error class with this prototype. */
export function errorClassName(prototype: object): string | undefined {
  return BY_PROTOTYPE.get(prototype)
}

/** The prototype of the error class with this wire name. */
export function errorPrototype(name: string): object | undefined {
  return BY_NAME.get(name)
}

/** True for a name of JavaScript's own error classes. */
export function isBuiltinErrorName(name: string): boolean {
  return BY_NAME.has(name) && !name.includes('.')
}

/** The nearest of JavaScript's own error classes above an error of a class that is Node's internal business. */
export function nearestBuiltinError(error: object): string {
  for (let step: unknown = Object.getPrototypeOf(error); typeof step === 'object' && step !== null; step = Object.getPrototypeOf(step)) {
    const name = BY_PROTOTYPE.get(step)
    if (name !== undefined) return name
  }
  return 'Error'
}

function builtins(): readonly { readonly name: string; readonly prototype: object }[] {
  const always = [Error, AggregateError, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]
  const later: unknown = Reflect.get(globalThis, 'SuppressedError')
  return typeof later === 'function' ? [...always, later as unknown as typeof Error] : always
}
