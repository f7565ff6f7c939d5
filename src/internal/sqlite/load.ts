import type * as Sqlite from 'node:sqlite'

import { quietly } from '../quietly.ts'

/** Node's SQLite, loaded on first use and without the warning that it is experimental. */
export function loadSqlite(): typeof Sqlite {
  return quietly(() => process.getBuiltinModule('node:sqlite'))
}
