/** Why a function cannot go along by value, each with what to do about it. */
import { UnreachableFunctionError } from '../errors.ts'
import { describeFunction } from './callable.ts'
import type { Tie } from './scope-walk.ts'

/** It mentions something of the code around it that has no value to send. */
export function tied(fn: Function, tie: Tie, place: string): UnreachableFunctionError {
  if (tie.what === 'eval') return refused(fn, `calls eval directly (${place}), so what it captures cannot be known. Call it as (0, eval)(text).`)
  if (tie.what === 'with') return refused(fn, `uses "with" (${place}), so what it captures cannot be known. Name the object's members.`)
  if (tie.what.startsWith('#')) return refused(fn, `uses the private name "${tie.what}" of its class (${place}), which stays behind. Pass a function that uses the class.`)
  return refused(fn, `uses "${tie.what}" of the code around it (${place}), which stays behind. Pass what it needs as an argument.`)
}

/** It writes to a variable of which the other process has a copy. */
export function assigns(fn: Function, name: string, place: string): UnreachableFunctionError {
  const advice = 'Return the value instead.'
  return refused(fn, `assigns to the variable "${name}" (${place}), of which the other process has a copy: the assignment would be lost. ${advice}`)
}

/** A variable has no value yet. */
export function uninitialised(fn: Function, name: string, place: string): UnreachableFunctionError {
  const advice = `Submit it after the line that declares "${name}".`
  return refused(fn, `uses the variable "${name}" (${place}), which is not initialised yet. ${advice}`)
}

/** The program has defined a global that other processes lack. */
export function ownGlobal(fn: Function, name: string, place: string): UnreachableFunctionError {
  const advice = 'Import it, or pass its value as an argument.'
  return refused(fn, `uses the global "${name}" (${place}) that this program defined, and the other process has none. ${advice}`)
}

/** All of a module would have to be copied. */
export function wholeModule(fn: Function, name: string, place: string): UnreachableFunctionError {
  const advice = `Mention the members that it needs, as ${name}.member, or import it inside the function.`
  return refused(fn, `uses the whole module object "${name}" (${place}). ${advice}`)
}

/** Something of CommonJS that belongs to the one module. */
export function ofItsModule(fn: Function, name: string, place: string): UnreachableFunctionError {
  return refused(fn, `uses "${name}" (${place}), which belongs to its module and stays behind. Keep what it needs in a variable.`)
}

/** A class uses a variable that V8 has not kept, as in a computed key. */
export function notKept(fn: Function, name: string, place: string): UnreachableFunctionError {
  const advice = `Export the class, or use "${name}" inside a method.`
  return refused(fn, `uses "${name}" (${place}), whose value cannot be read once the class is made. ${advice}`)
}

/** It is a method that needs the object it is called on. */
export function needsReceiver(fn: Function, place: string): UnreachableFunctionError {
  const name = fn.name === '' ? 'method' : fn.name
  const advice = `Pass a function that calls it, () => object.${name}(), or bind it.`
  return refused(fn, `(${place}) is a method that uses "this", and the object that it is called on would stay behind. ${advice}`)
}

/** One of its properties runs code when it is read. */
export function hasGetter(fn: Function, name: string): UnreachableFunctionError {
  const advice = 'Export the function, or make it a plain value.'
  return refused(fn, `has a property "${name}" that is a getter, and getters are not called. ${advice}`)
}

/** One of its properties is under a symbol. */
export function hasSymbol(fn: Function, symbol: symbol): UnreachableFunctionError {
  return refused(fn, `has a property under ${String(symbol)}, which cannot go along. Export the function, or write it as a class.`)
}

/** A class keeps something where nobody else can read it. */
export function privateState(fn: Function, name: string): UnreachableFunctionError {
  return refused(fn, `keeps something in its private static field "${name}", which nobody else can read. Export the class, or keep that in a variable.`)
}

/** A member is not the one that the class was written with. */
export function changedMember(fn: Function, name: string): UnreachableFunctionError {
  return refused(fn, `has had its member "${name}" added, replaced or removed in a way that does not show in its source, so it would arrive without that. Export it, or write it as it is to be.`)
}

/** It inherits from something of its own. */
export function otherPrototype(fn: Function): UnreachableFunctionError {
  return refused(fn, 'has another prototype than functions have, which would stay behind. Export the function.')
}

/** Its text cannot be read by itself. */
export function unreadable(fn: Function, place: string): UnreachableFunctionError {
  const mentions = Function.prototype.toString.call(fn).includes('new.target')
  if (mentions) return tied(fn, { what: 'new.target', start: 0 }, place)
  return refused(fn, `(${place}) has a source that cannot be read by itself. Export it.`)
}

/** There is no inspector to read what it captures. */
export function noInspector(fn: Function): UnreachableFunctionError {
  return refused(
    fn,
    'is not exported by the calling file or what that imports, and this process has no inspector to read what it captures. ' +
      'Export it, register it under a name, or let Node inspect itself: --permission needs --allow-inspector, which Node 26 has.',
  )
}

/** Native code that is none of Node's own functions. */
export function nativeCode(fn: Function): UnreachableFunctionError {
  return refused(fn, 'is native code, and none of the functions that Node exports. Get it inside the function that uses it.')
}

/** It may do anything when it is read. */
export function proxied(fn: Function): UnreachableFunctionError {
  return refused(fn, 'is a Proxy, whose handler cannot be seen. Wrap it in a function of your own.')
}

function refused(fn: Function, reason: string): UnreachableFunctionError {
  const isClass = /^class\b/.test(Function.prototype.toString.call(fn))
  return new UnreachableFunctionError(`${isClass ? `The class "${fn.name}"` : describeFunction(fn)} ${reason}`)
}
