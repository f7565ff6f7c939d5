import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createClient } from 'redis'
import type { SideInput } from './side.ts'

/** A view of a broker's store from outside the library, so that watching it costs the library nothing. */
export interface StoreWatch {
  /** How many messages wait or are out: 0 exactly when there is none. However deep the queue, it takes no longer. */
  outstanding(): Promise<number>
  close(): Promise<void>
}

/** Watches the queue `celery`, the default one of Celery and of ourselves. */
export async function watchStore({ folder, redisPort }: SideInput): Promise<StoreWatch> {
  return redisPort === 0 ? watchDatabase(databasePath(folder)) : watchRedis(redisPort)
}

/** Where a side keeps its embedded store. */
export function databasePath(folder: string): string {
  return join(folder, 'celeriac.db')
}

/** Counts from the oldest message that is not acknowledged to the newest, which is within the prefetch of the true number. */
function watchDatabase(path: string): StoreWatch {
  const database = new DatabaseSync(path, { readOnly: true })
  const query = database.prepare('SELECT (SELECT max(id) FROM message) - (SELECT min(id) FROM message) + 1 AS count')
  return {
    outstanding: async () => Number(query.get()?.['count'] ?? 0),
    close: async () => database.close(),
  }
}

/** Counts what is in kombu's list and in its hash of messages that are out. */
async function watchRedis(port: number): Promise<StoreWatch> {
  const client = createClient({ url: `redis://127.0.0.1:${port}/0` })
  await client.connect()
  return {
    async outstanding() {
      const [waiting, out] = await client.multi().lLen('celery').hLen('unacked').exec()
      return Number(waiting) + Number(out)
    },
    close: async () => client.destroy(),
  }
}
