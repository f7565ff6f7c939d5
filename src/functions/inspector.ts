import type { Session } from 'node:inspector'
import { runInThisContext } from 'node:vm'

/** Where V8 says a function was written, and the live variables around it. */
export interface FunctionSite {
  readonly scriptId: string
  /** 0-based. */
  readonly line: number
  /** 0-based. Of the `(` of a `function` or method, of the first character of an arrow function. */
  readonly column: number
  /** Innermost first, without the global ones. */
  readonly scopes: readonly Scope[]
  /** The `let`, `const` and `class` of classic scripts, which all of them share. */
  readonly scriptVariables: Readonly<Record<string, unknown>>
  /** The private static fields of a class by name, those of them that are scalars: `#count`. */
  readonly privateScalars: ReadonlyMap<string, unknown>
}

/** What a bound function calls, and with what. */
export interface BoundParts {
  readonly target: Function
  readonly receiver: unknown
  readonly args: readonly unknown[]
}

/** One scope as the debugger sees it. */
export interface Scope {
  /** True for the top level of an ES module. */
  readonly isModule: boolean
  /** The variables by name; reading one that is not initialised yet throws. */
  readonly variables: Readonly<Record<string, unknown>>
}

/** Code that this process has loaded. `source` is what runs, with types already stripped. */
export interface LoadedScript {
  readonly url: string
  readonly source: string
  /** The line of its file that it begins on, counted from 0: code that was made again stands where it was written. */
  readonly startLine: number
}

/** The variable of the global object by which a function is handed to the inspector; set only during a lookup. */
const CELL = '__celeriacInspected'
const OBJECT_GROUP = 'celeriac'

let session: Session | null | undefined
const parsed = new Map<string, Pick<LoadedScript, 'url' | 'startLine'>>()
const scripts = new Map<string, LoadedScript>()
const MOST_SCRIPTS = 500

/** True when this process may inspect itself; false under `--permission`, or where Node was built without. */
export function inspectorAvailable(): boolean {
  return connect() !== null
}

/** Looks a function up. Synchronous; undefined for one without source (native, bound) or without an inspector. */
export function inspectFunction(fn: Function): FunctionSite | undefined {
  return inspect(fn, (properties, cell, privates) => {
    const location = properties.get('[[FunctionLocation]]')?.value as Location | undefined
    const scopeList = properties.get('[[Scopes]]')?.objectId
    if (location === undefined || scopeList === undefined) return undefined

    post('Runtime.callFunctionOn', { objectId: scopeList, functionDeclaration: `function () { ${CELL}.answer = this }` })
    const all = Array.from(cell.answer as ArrayLike<{ description: string; object: Record<string, unknown> }>)
    const scopes = all
      .filter((scope) => scope.description !== 'Global' && scope.description !== 'Script')
      .map((scope) => ({ isModule: scope.description === 'Module', variables: scope.object }))
    const scriptVariables = all.find((scope) => scope.description === 'Script')?.object ?? {}
    return { scriptId: location.scriptId, line: location.lineNumber, column: location.columnNumber, scopes, scriptVariables, privateScalars: scalarsOf(privates) }
  })
}

/** Takes a bound function apart; undefined for any other, and without an inspector. */
export function inspectBound(fn: Function): BoundParts | undefined {
  return inspect(fn, (properties, cell) => {
    const [target, receiver, args] = ['[[TargetFunction]]', '[[BoundThis]]', '[[BoundArgs]]'].map((name) => properties.get(name))
    if (target?.objectId === undefined || args === undefined) return undefined

    const functionDeclaration = `function (receiver, args) { ${CELL}.answer = { target: this, receiver, args } }`
    post('Runtime.callFunctionOn', { objectId: target.objectId, functionDeclaration, arguments: [asArgument(receiver), asArgument(args)] })
    const { args: list, ...parts } = cell.answer as BoundParts
    return { ...parts, args: Array.from(list) }
  })
}

type Read<T> = (properties: ReadonlyMap<string, RemoteValue | undefined>, cell: { answer?: unknown }, privates: readonly RemoteProperty[]) => T

function inspect<T>(fn: Function, read: Read<T>): T | undefined {
  if (!inspectorAvailable()) return undefined
  const cell: { value: unknown; answer?: unknown } = { value: fn }
  const realm = mainGlobal()
  Object.defineProperty(realm, CELL, { value: cell, configurable: true })
  try {
    const { result } = post<RemoteResult>('Runtime.evaluate', { expression: `${CELL}.value`, objectGroup: OBJECT_GROUP })
    const properties = { objectId: result.objectId, ownProperties: true }
    const { internalProperties = [], privateProperties = [] } = post<RemoteProperties>('Runtime.getProperties', properties)
    return read(new Map(internalProperties.map(({ name, value }) => [name, value])), cell, privateProperties)
  } finally {
    Reflect.deleteProperty(realm, CELL)
    post('Runtime.releaseObjectGroup', { objectGroup: OBJECT_GROUP })
  }
}

const NO_SCALARS: ReadonlyMap<string, unknown> = new Map()

function scalarsOf(privates: readonly RemoteProperty[]): ReadonlyMap<string, unknown> {
  if (privates.length === 0) return NO_SCALARS
  const isScalar = ({ value }: RemoteProperty): boolean => value !== undefined && value.objectId === undefined && value.unserializableValue === undefined
  return new Map(privates.filter(isScalar).map(({ name, value }) => [name, value?.value]))
}

function asArgument(value: RemoteValue | undefined): object {
  if (value?.objectId !== undefined) return { objectId: value.objectId }
  if (value?.unserializableValue !== undefined) return { unserializableValue: value.unserializableValue }
  return value?.type === 'undefined' ? {} : { value: value?.value }
}

/** The URL of a script, `''` for code made by `eval`. */
export function scriptUrl(scriptId: string): string {
  if (!parsed.has(scriptId)) withDebugger(() => {})
  return parsed.get(scriptId)?.url ?? ''
}

/** A script with its source, read once. */
export function loadedScript(scriptId: string): LoadedScript {
  const known = scripts.get(scriptId)
  if (known !== undefined) return known
  const source = withDebugger(() => post<{ scriptSource: string }>('Debugger.getScriptSource', { scriptId }).scriptSource)
  const script = { url: scriptUrl(scriptId), source, startLine: parsed.get(scriptId)?.startLine ?? 0 }
  if (script.url === '') return script
  // What reloads its modules has ever new ones; the oldest is the least likely to be asked for.
  const [oldest] = scripts.keys()
  if (scripts.size >= MOST_SCRIPTS && oldest !== undefined) scripts.delete(oldest)
  scripts.set(scriptId, script)
  return script
}

/**
 * Enabling replays every script's id and URL. Disabled again in the same synchronous stretch: left on, it
 * makes `await` eight times slower, and a `debugger` statement would stop the process.
 */
function withDebugger<T>(body: () => T): T {
  post('Debugger.enable')
  try {
    return body()
  } finally {
    post('Debugger.disable')
  }
}

function connect(): Session | null {
  if (session !== undefined) return session
  try {
    // Not an import: a Node built without the inspector fails to load this module's importers.
    const { Session } = process.getBuiltinModule('node:inspector')
    const opened = new Session()
    opened.connect()
    opened.on('Debugger.scriptParsed', ({ params: { scriptId, url, startLine } }) => void parsed.set(scriptId, { url, startLine }))
    session = opened
  } catch {
    session = null
  }
  return session
}

/** A session within its own process answers before `post` returns. */
function post<T>(method: string, parameters: object = {}): T {
  let failure: Error | null = null
  let answer: unknown
  connect()?.post(method, parameters, (error: Error | null, result?: object) => {
    failure = error
    answer = result
  })
  if (failure !== null) throw new Error(`The inspector refused ${method}`, { cause: failure })
  return answer as T
}

/** Under test runners `globalThis` may be a sandbox that the inspector's own context does not see. */
function mainGlobal(): object {
  realm ??= runInThisContext('globalThis') as object
  return realm
}

let realm: object | undefined

interface RemoteResult {
  readonly result: { readonly objectId?: string }
}

interface RemoteProperties {
  readonly internalProperties?: readonly RemoteProperty[]
  readonly privateProperties?: readonly RemoteProperty[]
}

interface RemoteProperty {
  readonly name: string
  readonly value?: RemoteValue
}

interface RemoteValue {
  readonly type: string
  readonly objectId?: string
  readonly value?: unknown
  readonly unserializableValue?: string
}

interface Location {
  readonly scriptId: string
  readonly lineNumber: number
  readonly columnNumber: number
}
