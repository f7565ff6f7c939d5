import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, sep } from 'node:path'
// The default export, for a Node that lacks the function; see parse.ts.
import nodeUtil from 'node:util'
import { writtenFunctions } from './exports.ts'
import { fileOfUrl, isModuleFile } from './module-path.ts'
import { parseFile } from './parse.ts'

/** A function found without the inspector. */
export interface FoundInSource {
  readonly file: string
  readonly path: readonly string[]
}

const OWN_DIRECTORY = dirname(import.meta.dirname) + sep

/**
 * Finds a function where this process may not inspect itself: in the files that are calling, and in what
 * they import, an exported function with the same text.
 *
 * Undefined when there is none, or more than one. Sees ES modules only.
 */
export function findInCallers(fn: Function): FoundInSource | undefined {
  const text = Function.prototype.toString.call(fn)
  const files = new Set(callingFiles().flatMap((file) => [file, ...importedFiles(file)]))
  const found = [...files].filter(isModuleFile).flatMap((file) => functionsWithText(file, text))
  const [first, ...others] = found
  return others.some((other) => other.file !== first?.file || other.start !== first.start) ? undefined : first
}

function callingFiles(): string[] {
  const files = nodeUtil.getCallSites(100).map(({ scriptName }) => fileOfUrl(scriptName))
  return files.filter((file) => file !== undefined && !file.startsWith(OWN_DIRECTORY)) as string[]
}

function importedFiles(file: string): string[] {
  const { resolve } = createRequire(file)
  const statements = readProgram(file)?.program.body ?? []
  return statements.flatMap((statement) => {
    if (statement.type !== 'ImportDeclaration') return []
    try {
      return [resolve(String(statement.source.value))]
    } catch {
      return []
    }
  })
}

function functionsWithText(file: string, text: string): (FoundInSource & { readonly start: number })[] {
  const parsed = readProgram(file)
  if (parsed === undefined) return []
  return writtenFunctions(parsed.program)
    .filter(({ node }) => {
      const written = parsed.source.slice(node.start, node.end)
      // A method's node begins at its `(`, its text at its name.
      return written === text || (node.type === 'FunctionExpression' && written.startsWith('(') && text.endsWith(written))
    })
    .map(({ path, node }) => ({ file, path, start: node.start }))
}

function readProgram(file: string): ReturnType<typeof parseFile> {
  try {
    return parseFile(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}
