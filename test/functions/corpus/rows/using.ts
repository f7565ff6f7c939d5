import type { Row } from '../row.ts'

const log: string[] = []

function open(name: string): Disposable {
  log.push(`open ${name}`)
  return { [Symbol.dispose]: () => void log.push(`close ${name}`) }
}

function openLater(name: string): AsyncDisposable {
  log.push(`open ${name}`)
  return {
    [Symbol.asyncDispose]: async () => {
      await Promise.resolve()
      log.push(`close ${name}`)
    },
  }
}

/** Rows whose syntax needs Node 24. */
export const rows: readonly Row[] = [
  { title: 'using', make: () => () => { log.length = 0; { using _a = open('a'); using _b = open('b'); log.push('work') } return log }, gives: ['open a', 'open b', 'work', 'close b', 'close a'] },
  { title: 'using in a loop', make: () => () => { log.length = 0; for (using one of [open('1')]) log.push(typeof one); return log }, gives: ['open 1', 'object', 'close 1'] },
  { title: 'await using', make: () => async () => { log.length = 0; { await using _c = openLater('c'); log.push('work') } return log }, gives: ['open c', 'work', 'close c'] },
]
