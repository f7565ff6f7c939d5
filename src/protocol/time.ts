import { EncodeError } from '../errors.ts'
import { malformed } from './malformed.ts'

const MINUTE_MS = 60_000

/** First and last millisecond that Python's `datetime` can hold. */
const EARLIEST_MS = Date.parse('0001-01-01T00:00:00.000Z')
const LATEST_MS = Date.parse('9999-12-31T23:59:59.999Z')

/** Many results are stored within one millisecond. */
let lastMs = Number.NaN
let lastText = ''

/**
 * Writes a time as Celery does: `2026-11-20T06:27:28.978191+00:00`.
 *
 * `ms` is milliseconds since 1970, a fraction gives microseconds; `offsetMinutes` is the zone to write it in.
 * Always six fraction digits and an offset: Celery 5.2 takes `.5` for 5 microseconds.
 * @throws {@link EncodeError} outside the years 1 to 9999, which is all that Python knows.
 */
export function formatTime(ms: number, offsetMinutes = 0): string {
  if (offsetMinutes !== 0) return writeTime(ms, offsetMinutes)
  if (ms !== lastMs) {
    lastText = writeTime(ms, 0)
    lastMs = ms
  }
  return lastText
}

function writeTime(ms: number, offsetMinutes: number): string {
  const local = ms + offsetMinutes * MINUTE_MS
  if (!(local >= EARLIEST_MS && local <= LATEST_MS)) {
    throw new EncodeError(`A time must be in the years 1 to 9999, got ${ms} ms since 1970; check its unit`, 'time')
  }
  const whole = Math.floor(local)
  const micros = Math.min(999, Math.round((local - whole) * 1000))
  return `${new Date(whole).toISOString().slice(0, 23)}${String(micros).padStart(3, '0')}${formatOffset(offsetMinutes)}`
}

function formatOffset(minutes: number): string {
  if (minutes === 0) return '+00:00'
  const distance = Math.abs(minutes)
  return `${minutes < 0 ? '-' : '+'}${twoDigits(Math.floor(distance / 60))}:${twoDigits(distance % 60)}`
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}

const ISO_8601 = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(Z|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)?)?$/

/**
 * Reads a time as Celery's readers do, in milliseconds since 1970, microseconds as a fraction.
 *
 * `T` or a blank between date and time, or the date alone; `Z`, `+02:00`, `+0200` or `+02`. Without an offset it is UTC.
 * @throws {@link DecodeError} for anything else, naming `what`.
 */
export function parseTime(text: unknown, what = 'a time'): number {
  const match = typeof text === 'string' ? ISO_8601.exec(text) : null
  if (match === null) throw malformed(what, 'an ISO 8601 text such as "2026-11-20T06:27:28.978191+00:00"', text)
  const [, year, month, day, hour = 0, minute = 0, second = 0, fraction = '', offset = 'Z'] = match

  // Read back: `Date` takes 30 February for 2 March.
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  const exists = Number(year) > 0 && date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day)
  if (!exists || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) throw malformed(what, 'a time that exists', text)

  const seconds = Number(hour) * 3600 + Number(minute) * 60 + Number(second)
  const micros = Number(fraction.slice(0, 6).padEnd(6, '0'))
  return date.getTime() + seconds * 1000 + micros / 1000 - parseOffset(offset) * MINUTE_MS
}

function parseOffset(text: string): number {
  if (text === 'Z') return 0
  const distance = Number(text.slice(1, 3)) * 60 + Number(text.slice(3).replace(':', ''))
  return text.startsWith('-') ? -distance : distance
}
