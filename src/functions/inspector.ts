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
}

/** The variable of the global object by which a function is handed to the inspector; set only during a lookup. */
const CELL = '__celeriacInspected'
const OBJECT_GROUP = 'celeriac'

let session: Session | null | undefined
const urls = new Map<string, string>()
const scripts = new Map<string, LoadedScript>()

/** True when this process may inspect itself; false under `--permission`, or where Node was built without. */
export function inspectorAvailable(): boolean {
  return connect() !== null
}

/**
 * Pays for the first use of the debugger, 13 to 20 ms once per process, ahead of the first submit.
 *
 * Optional: without it the first lookup pays. Does nothing where there is no inspector.
 */
export function warmUpInspector(): void {
  if (inspectorAvailable()) withDebugger(() => {})
}

/** Looks a function up. Synchronous; undefined for one without source (native, bound) or without an inspector. */
export function inspectFunction(fn: Function): FunctionSite | undefined {
  if (!inspectorAvailable()) return undefined
  const cell: { value: unknown; scopes?: ArrayLike<{ description: string; object: Record<string, unknown> }> } = { value: fn }
  const realm = mainGlobal()
  Object.defineProperty(realm, CELL, { value: cell, configurable: true })
  try {
    const { result } = post<RemoteResult>('Runtime.evaluate', { expression: `${CELL}.value`, objectGroup: OBJECT_GROUP })
    const properties = { objectId: result.objectId, ownProperties: true }
    const { internalProperties } = post<RemoteProperties>('Runtime.getProperties', properties)
    const location = internalProperties?.find((property) => property.name === '[[FunctionLocation]]')?.value?.value
    const scopeList = internalProperties?.find((property) => property.name === '[[Scopes]]')?.value?.objectId
    if (location === undefined || scopeList === undefined) return undefined

    post('Runtime.callFunctionOn', { objectId: scopeList, functionDeclaration: `function () { ${CELL}.scopes = this }` })
    const scopes = Array.from(cell.scopes ?? [])
      .filter((scope) => scope.description !== 'Global' && scope.description !== 'Script')
      .map((scope) => ({ isModule: scope.description === 'Module', variables: scope.object }))
    return { scriptId: location.scriptId, line: location.lineNumber, column: location.columnNumber, scopes }
  } finally {
    Reflect.deleteProperty(realm, CELL)
    post('Runtime.releaseObjectGroup', { objectGroup: OBJECT_GROUP })
  }
}

/** The URL of a script, `''` for code made by `eval`. */
export function scriptUrl(scriptId: string): string {
  if (!urls.has(scriptId)) withDebugger(() => {})
  return urls.get(scriptId) ?? ''
}

/** A script with its source, read once. */
export function loadedScript(scriptId: string): LoadedScript {
  const known = scripts.get(scriptId)
  if (known !== undefined) return known
  const source = withDebugger(() => post<{ scriptSource: string }>('Debugger.getScriptSource', { scriptId }).scriptSource)
  const script = { url: scriptUrl(scriptId), source }
  if (script.url !== '') scripts.set(scriptId, script)
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
    opened.on('Debugger.scriptParsed', ({ params }) => urls.set(params.scriptId, params.url))
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
  return runInThisContext('globalThis') as object
}

interface RemoteResult {
  readonly result: { readonly objectId?: string }
}

interface RemoteProperties {
  readonly internalProperties?: readonly {
    readonly name: string
    readonly value?: {
      readonly objectId?: string
      readonly value?: { readonly scriptId: string; readonly lineNumber: number; readonly columnNumber: number }
    }
  }[]
}
