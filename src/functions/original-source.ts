import { readFileSync } from 'node:fs'
import { type SourceMap, SourceMap as SourceMapOfNode, type SourceMapPayload } from 'node:module'
import { isAbsolute } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Token } from 'acorn'
import { type FunctionSource, withText } from './function-source.ts'
import type { LoadedScript } from './inspector.ts'
import { positionOf } from './lines.ts'
import { fileOfUrl } from './module-path.ts'
import { tokensOf } from './parse.ts'

/** A function's source laid out as in the file that a compiler made it of. */
export interface OriginalSource {
  readonly source: FunctionSource
  readonly file: string
  /** The line on which it begins, counted from 0. */
  readonly line: number
}

interface ScriptMap {
  readonly map: SourceMap
  /** The URL that sources are relative to. */
  readonly base: string
}

const maps = new WeakMap<LoadedScript, ScriptMap | undefined>()

/** A line may not end after these: what follows would be cut off. */
const NEVER_AFTER = new Set(['return', 'throw', 'break', 'continue', 'yield', 'async', 'accessor', 'using'])

/**
 * Lays a function's source out by the source map of its script, each token on its original line, so that stack traces are
 * right without the map. Undefined where there is none, or it says nothing of this function.
 *
 * `start` is where what `toString` gives begins in the script.
 */
export function originalSource(script: LoadedScript, source: FunctionSource, start: number): OriginalSource | undefined {
  const found = mapOf(script)
  if (found === undefined || start < 0) return undefined
  const place = (offset: number): { readonly file: string | undefined; readonly line: number } | undefined => {
    const { line, column } = positionOf(script.source, start + offset - source.from.text + source.from.given)
    const entry = found.map.findEntry(line, column)
    return 'originalLine' in entry ? { file: originalFile(entry.originalSource, found), line: entry.originalLine } : undefined
  }
  const first = place(source.from.text)
  if (first?.file === undefined) return undefined
  const tokens = tokensOf(source.text)
  const lines = tokens.map((token) => {
    const original = token.start < source.from.text ? undefined : place(token.start)
    return original !== undefined && original.file === first.file ? original.line : undefined
  })
  for (const keepLines of [false, true]) {
    const laidOut = withText(source, layOut(source.text, tokens, lines, { from: first.line, keepLines }))
    if (laidOut !== undefined) return { source: laidOut, file: first.file, line: first.line }
  }
  return undefined
}

/** Where the end of a line is no more than a blank, the code means the same without it, or cannot be parsed. */
function layOut(
  text: string,
  tokens: readonly Token[],
  lines: readonly (number | undefined)[],
  { from, keepLines }: { readonly from: number; readonly keepLines: boolean },
): string {
  let laidOut = ''
  let current = from
  let end = 0
  for (const [index, token] of tokens.entries()) {
    const gap = text.slice(end, token.start)
    const before = tokens[index - 1]
    const written = text.slice(token.start, token.end)
    const isFixed = isOfTemplate(token, before) || mustStay(before && text.slice(before.start, before.end), written)
    const wanted = lines[index] ?? current
    const added = isFixed ? 0 : Math.max(wanted - current, keepLines && gap.includes('\n') ? 1 : 0)
    const between = isFixed ? gap : added > 0 ? '\n'.repeat(added) : gap === '' ? '' : ' '
    laidOut += between + written
    current += count(between) + count(written)
    end = token.end
  }
  return laidOut + text.slice(end)
}

function mustStay(before: string | undefined, next: string): boolean {
  return (before !== undefined && NEVER_AFTER.has(before)) || next === '=>' || next === '++' || next === '--'
}

/** Between the quotes of a template nothing may be changed. */
function isOfTemplate({ type }: Token, before: Token | undefined): boolean {
  return /emplate/.test(type.label) || (before !== undefined && /emplate/.test(before.type.label))
}

function count(text: string): number {
  return text.split('\n').length - 1
}

function mapOf(script: LoadedScript): ScriptMap | undefined {
  if (!maps.has(script)) maps.set(script, readMap(script))
  return maps.get(script)
}

function readMap({ source, url }: LoadedScript): ScriptMap | undefined {
  const file = fileOfUrl(url)
  const at = source.lastIndexOf('\n//# sourceMappingURL=')
  const [written, reference] = (at === -1 ? null : /^\n\/\/# sourceMappingURL=(\S+)/.exec(source.slice(at))) ?? []
  // A test runner closes its wrapper after it, and may add a comment of its own.
  if (written === undefined || !/^(?:[\s})]|\/\/.*)*$/.test(source.slice(at + written.length))) return undefined
  if (file === undefined || reference === undefined) return undefined
  try {
    const target = new URL(reference, pathToFileURL(file))
    const text = target.protocol === 'data:' ? dataOf(reference) : readFileSync(target, 'utf8')
    const payload = JSON.parse(text) as SourceMapPayload
    const base = target.protocol === 'data:' ? pathToFileURL(file).href : target.href
    return { map: new SourceMapOfNode(payload), base: payload.sourceRoot ? new URL(`${payload.sourceRoot.replace(/\/*$/, '')}/`, base).href : base }
  } catch {
    // A map that is not there, or is none, leaves the source as it runs.
    return undefined
  }
}

function dataOf(url: string): string {
  const comma = url.indexOf(',')
  const content = url.slice(comma + 1)
  return url.slice(0, comma).endsWith(';base64') ? Buffer.from(content, 'base64').toString() : decodeURIComponent(content)
}

function originalFile(source: string, { base }: ScriptMap): string | undefined {
  if (isAbsolute(source)) return source
  const url = URL.canParse(source, base) ? new URL(source, base) : undefined
  return url?.protocol === 'file:' ? fileURLToPath(url) : undefined
}
