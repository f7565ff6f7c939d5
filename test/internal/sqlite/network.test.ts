import type * as fs from 'node:fs'
import { expect, test, vi } from 'vitest'
import { openDatabase } from '../../../src/internal/sqlite/open.ts'
import { sqliteOptions, temporaryFolder } from './fixture.ts'

vi.mock('node:fs', async (original) => ({ ...(await original<typeof fs>()), statfsSync: () => ({ type: 0x6969 }) }))

test.runIf(process.platform === 'linux')('refuses a network file system unless told otherwise', async () => {
  const root = temporaryFolder()

  await expect(openDatabase('sqlite:', sqliteOptions(root))).rejects.toThrow('is on a network file system (NFS)')

  const { release } = await openDatabase('sqlite:', sqliteOptions(root, { allowNetworkFileSystem: true }))
  await release()
})
