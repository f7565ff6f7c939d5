import type { StoredResult } from '../../backend.ts'
import type { ReplyOptions } from '../../internal/redis/client.ts'
import { keepGroup, type KeptText, readGroup, readPushed, readResult } from './stored-text.ts'

/** What a key or a channel holds: text, or bytes where replies are read as such. */
export type Kept = string | Buffer

/** What results are in Redis: the contract has them as JSON. */
export interface ResultForm {
  /** How replies that hold results are read. */
  readonly replies: ReplyOptions | undefined
  /** How the meta of a group is kept. */
  keepGroup(text: string, expiresAtMs: number | undefined, nowMs: number): KeptText<Kept>
  /**
   * The meta of a group that a key holds; undefined when it has expired.
   * @throws {@link DecodeError} when it cannot be read, where that shows already.
   */
  readGroup(kept: Kept, nowMs: number): string | undefined
  /** The record that a key holds; undefined when it has expired. What cannot be read is a FAILURE that says why. */
  readResult(taskId: string, kept: Kept, nowMs: number): StoredResult | undefined
  /** The same for what was pushed to those who wait, which may be anything. */
  readPushed(taskId: string, kept: Kept, nowMs: number): StoredResult | undefined | 'unreadable'
}

/** The very text. */
export const JSON_FORM: ResultForm = {
  replies: undefined,
  keepGroup,
  readGroup: (kept, nowMs) => readGroup(String(kept), nowMs),
  readResult: (taskId, kept, nowMs) => readResult(taskId, String(kept), nowMs),
  readPushed: (taskId, kept, nowMs) => readPushed(taskId, String(kept), nowMs),
}
