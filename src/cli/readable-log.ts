import { styleText } from 'node:util'

/** A line of a log, as pino writes it. */
interface Entry {
  readonly level: number
  readonly time: number
  readonly msg: string
  readonly traceback?: unknown
  readonly err?: { readonly stack?: unknown }
}

const LEVELS = [
  { from: 50, name: 'ERROR', color: 'red' },
  { from: 40, name: 'WARNING', color: 'yellow' },
  { from: 30, name: 'INFO', color: 'green' },
  { from: 0, name: 'DEBUG', color: 'gray' },
] as const

/** A line of a log for people: time, level, message and the stack of an error. What is no entry, such as what a task printed, stays as it is. */
export function readableLine(line: string): string {
  const entry = readEntry(line)
  if (entry === undefined) return line
  const { name, color } = LEVELS.find(({ from }) => entry.level >= from) ?? LEVELS[3]
  const stack = [entry.traceback, entry.err?.stack].find((text) => typeof text === 'string')
  const time = new Date(entry.time).toISOString().slice(11, 23)
  return `${time} ${styleText(color, name, { stream: process.stdout })} ${entry.msg}${stack === undefined ? '' : `\n${stack}`}`
}

function readEntry(line: string): Entry | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const entry = JSON.parse(line) as Entry
    const isEntry = typeof entry.level === 'number' && !Number.isNaN(new Date(entry.time).getTime()) && typeof entry.msg === 'string'
    return isEntry ? entry : undefined
  } catch {
    return undefined
  }
}
