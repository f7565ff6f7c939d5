/** Why a function cannot be found by another process, each with what to do about it. */
import { InvalidTaskError, UnreachableFunctionError } from '../errors.ts'
import { describeFunction } from './callable.ts'
import { mainGuard } from './main-script.ts'
import { isMethod } from './parameters.ts'

/** It is one of Node's own, such as `createHash`. */
export function builtIn(value: object): InvalidTaskError {
  return new InvalidTaskError(`${describeFunction(value)} is built into Node. Pass a function of your own that calls it.`)
}

/** It has no source, and holds no function that has. */
export function withoutSource(value: object): UnreachableFunctionError {
  return because(value, 'has no source of its own. Export a function that calls it, and pass that.')
}

/** It was made at run time. */
export function withoutFile(value: object): UnreachableFunctionError {
  return because(value, 'is in no file: it was made by eval or new Function. Write it in a module and export it.')
}

/** No export of its module leads to it. `line` is 1-based. */
export function notExported(value: object, module: string, line: number): UnreachableFunctionError {
  const advice = isMethod(value)
    ? 'It is a method, and the object that it is called on would stay behind: make it a static method of a class that the module exports, or an exported function.'
    : 'Export it under a name, after moving it to the top level of the module if it is inside another function.'
  return because(value, `(${module}:${line}) is not exported by ${module}, so another process cannot find it. ${advice}`)
}

/** An export leads to it only because the program has put it there. */
export function putThereLater(value: object, module: string, path: readonly string[]): UnreachableFunctionError {
  return because(value, `is ${path.join('.')} of ${module} only since that was assigned: another process finds something else there. Export it by itself.`)
}

/** Its module is the started script, and starts something whenever it is imported. */
export function inUnguardedMain(value: object, module: string): UnreachableFunctionError {
  return because(
    value,
    `is defined in ${module}, the script that was started: a worker that imports it would start it again. ` +
      `Move the function to a module of its own, or guard the script's start-up with \`if (${mainGuard()})\`.`,
  )
}

/** Its module is not part of the project. */
export function outsideRoot(value: object, file: string, root: string): UnreachableFunctionError {
  const advice = 'Move it below the root, or choose a root that contains it.'
  return because(value, `is defined in ${file}, outside the project's root ${root}. ${advice}`)
}

/** Its module is an installed package's. */
export function inPackage(value: object, module: string): UnreachableFunctionError {
  return because(value, `belongs to an installed package (${module}). Pass a function of your own that calls it.`)
}

/** Its file has an extension that other processes refuse to import. */
export function notAModule(value: object, module: string): UnreachableFunctionError {
  return because(value, `is defined in ${module}, which is not a module by its extension. Move it to a .ts or .js file.`)
}

/** There is no inspector, and the sources do not tell. */
export function notFoundInSource(value: object): UnreachableFunctionError {
  return because(
    value,
    'was not found among what the calling file exports and imports, and this process has no inspector to look further. ' +
      'Register it under a name, or start Node so that it may inspect itself.',
  )
}

function because(value: object, reason: string): UnreachableFunctionError {
  return new UnreachableFunctionError(`${describeFunction(value)} ${reason}`)
}
