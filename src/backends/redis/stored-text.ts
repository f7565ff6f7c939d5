import type { StoredResult } from '../../backend.ts'
import { decodeResultMeta } from '../../protocol/result.ts'
import type { State } from '../../states.ts'

/*
 * A key holds a meta of Celery's and nothing else, and Redis forgets it by its own clock. The contract of a backend takes
 * any text with any status, which expires by the clock that the driver was given. So a text that does not begin with its own
 * status is put into a JSON object that says all three. No worker writes such a text: every meta of ours begins with its status.
 */

const META_STATUS = /^\{"status": "([^"\\]+)"[,}]/
const WRAPPER = /^\{"status": "(?:[^"\\]|\\.)*", "celeriac-expires": /

/** A text of a group begins so, whoever wrote it. */
const GROUP_META = /^\{"result":/

/** What goes into a key, and in how many milliseconds Redis is to forget it; undefined: never. */
export interface KeptText<Text = string> {
  readonly text: Text
  readonly ttlMs: number | undefined
}

/** Whether a text is such an object. */
export function isWrapped(kept: string): boolean {
  return WRAPPER.test(kept)
}

/** How a record is kept. */
export function keepResult({ status, text, expiresAtMs }: StoredResult, nowMs: number): KeptText {
  const isMeta = text.startsWith(`{"status": ${JSON.stringify(status)}`) && !isWrapped(text)
  return isMeta ? { text, ttlMs: ttl(expiresAtMs, nowMs) } : wrap(status, text, expiresAtMs)
}

/** How the meta of a group is kept. */
export function keepGroup(text: string, expiresAtMs: number | undefined, nowMs: number): KeptText {
  return GROUP_META.test(text) ? { text, ttlMs: ttl(expiresAtMs, nowMs) } : wrap('GROUP', text, expiresAtMs)
}

/**
 * The record that a key holds; undefined when it has expired.
 *
 * What cannot be read counts as FAILURE, so that one such text does not keep others from being read: whoever asks for its
 * value is told what is wrong with it.
 */
export function readResult(taskId: string, kept: string, nowMs: number): StoredResult | undefined {
  const record = readPushed(taskId, kept, nowMs)
  return record === 'unreadable' ? { taskId, status: 'FAILURE', text: kept } : record
}

/** The same for what was pushed to those who wait, which may be anything. */
export function readPushed(taskId: string, kept: string, nowMs: number): StoredResult | undefined | 'unreadable' {
  if (isWrapped(kept)) return unwrap(taskId, kept, nowMs)
  const status = META_STATUS.exec(kept)?.[1] ?? readStatus(kept)
  return status === undefined ? 'unreadable' : { taskId, status, text: kept }
}

/** The meta of a group that a key holds; undefined when it has expired. */
export function readGroup(kept: string, nowMs: number): string | undefined {
  if (!isWrapped(kept)) return kept
  const record = unwrap('', kept, nowMs)
  // As it is: whoever asked for the group is told what is wrong with it.
  return record === 'unreadable' ? kept : record?.text
}

function ttl(expiresAtMs: number | undefined, nowMs: number): number | undefined {
  return expiresAtMs === undefined ? undefined : Math.max(1, Math.ceil(expiresAtMs - nowMs))
}

function wrap(status: State, text: string, expiresAtMs: number | undefined): KeptText {
  const wrapped = `{"status": ${JSON.stringify(status)}, "celeriac-expires": ${expiresAtMs ?? 'null'}, "celeriac-text": ${JSON.stringify(text)}}`
  return { text: wrapped, ttlMs: undefined }
}

function unwrap(taskId: string, kept: string, nowMs: number): StoredResult | undefined | 'unreadable' {
  const { status, 'celeriac-expires': expires, 'celeriac-text': text } = parseWrapper(kept)
  const canBeRead = typeof status === 'string' && typeof text === 'string' && (typeof expires === 'number' || expires === null)
  if (!canBeRead) return 'unreadable'
  if (expires !== null && expires <= nowMs) return undefined
  return { taskId, status, text, expiresAtMs: expires ?? undefined }
}

/** Somebody else may have written it. */
function parseWrapper(kept: string): { readonly [key: string]: unknown } {
  try {
    return JSON.parse(kept) as { readonly [key: string]: unknown }
  } catch {
    return {}
  }
}

/** Python's have any order. */
function readStatus(kept: string): State | undefined {
  try {
    return decodeResultMeta(kept).status
  } catch {
    // Not JSON, or of a serializer that is refused.
    return undefined
  }
}
