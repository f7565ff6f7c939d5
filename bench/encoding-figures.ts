import { Packr } from 'msgpackr'
import { loadBuiltParts, ROOT } from './built.ts'
import { multiplier } from './closures.ts'
import type { Figures } from './side.ts'
import { median } from './statistics.ts'

/** Every contestant has a turn in each lap, so that all meet the machine as it is then. */
const LAPS = 60
const WARM_UP_LAPS = 10
const CALLS_PER_LAP = 200

/** What is encoded and decoded, by name. */
type Contestants<K extends string> = Readonly<Record<K, () => unknown>>

/** Two numbers, as for the task that all measurements run, and a message of 115 bytes. */
const NUMBERS = [1, 2]
const MESSAGE = [{ id: '5f3c9a', to: 'someone@example.com', subject: 'Your order has left us', items: 3, total: 59.9, gift: false }]

/** About 10 kB of rows, one of which has a Date. */
const ROWS = Array.from({ length: 100 }, (_, id) => ({
  id,
  name: `user ${id}`,
  email: `user${id}@example.com`,
  active: id % 2 === 0,
  score: id * 1.5,
  tags: ['a', 'b'],
  ...(id === 50 && { seen: new Date(0) }),
}))

/** Times encoding and decoding beside bare JSON and msgpackr, in this process, and closures and signatures by themselves. */
export async function encodingFigures(): Promise<Figures> {
  const { arePlainTrees, readGraphText, NO_TYPES, writeGraph, openKeyRing } = await loadBuiltParts()
  const writing = { root: ROOT, path: 'args', types: NO_TYPES, classesByValue: true }
  const reading = { root: ROOT, types: NO_TYPES, allowCode: true }
  const structuredClone = new Packr({ structuredClone: true })
  const same = multiplier(3)
  const keys = openKeyRing({ secretKey: 'for measuring only', secretKeyFallbacks: [], secretKeyFile: undefined, signatureLifetimeMs: 60_000, root: ROOT, inMemory: true })
  const message = { headers: { id: 'a', task: 'b' }, contentType: 'application/json', body: 'x'.repeat(1_000) }

  const micros = await compare({
    bareNumbers: () => JSON.parse(JSON.stringify(NUMBERS)) as unknown,
    plainNumbers: () => arePlainTrees(NUMBERS) && (JSON.parse(JSON.stringify(NUMBERS)) as unknown),
    bareMessage: () => JSON.parse(JSON.stringify(MESSAGE)) as unknown,
    plainMessage: () => arePlainTrees(MESSAGE) && (JSON.parse(JSON.stringify(MESSAGE)) as unknown),
    msgpackr: () => structuredClone.unpack(structuredClone.pack(ROWS)) as unknown,
    rows: () => readGraphText(writeGraph(ROWS, writing).text, reading),
    newClosure: () => writeGraph(multiplier(3), writing).text,
    sameClosure: () => writeGraph(same, writing).text,
    sign: () => {
      const signature = keys.sign(message, 0)
      return keys.verify({ ...message, headers: { ...message.headers, 'x-celeriac-signature': signature } }, 0)
    },
  })
  return {
    numbersOfJson: micros.bareNumbers / micros.plainNumbers,
    messageOfJson: micros.bareMessage / micros.plainMessage,
    rowsOfMsgpackr: micros.msgpackr / micros.rows,
    rowsMicros: micros.rows,
    newClosureMicros: micros.newClosure,
    sameClosureMicros: micros.sameClosure,
    signMicros: micros.sign,
  }
}

/** The median microseconds of one call of each. */
async function compare<K extends string>(contestants: Contestants<K>): Promise<Record<K, number>> {
  const names = Object.keys(contestants) as K[]
  const laps = new Map<K, number[]>(names.map((name) => [name, []]))
  for (let lap = 0; lap < WARM_UP_LAPS + LAPS; lap++) {
    for (const name of names) {
      const call = contestants[name]
      const startMs = performance.now()
      for (let i = 0; i < CALLS_PER_LAP; i++) {
        const made = call()
        if (made instanceof Promise) await made
      }
      if (lap >= WARM_UP_LAPS) laps.get(name)?.push(((performance.now() - startMs) * 1000) / CALLS_PER_LAP)
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(laps.get(name) ?? [])])) as Record<K, number>
}
