import { spawnSync } from 'node:child_process'
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { openDatabase } from '../../../src/internal/sqlite/open.ts'
import { sqliteOptions, temporaryFolder } from './fixture.ts'

test('says that a damaged database is damaged, and does not remove it', async () => {
  const root = temporaryFolder()
  const first = await openDatabase('sqlite:q.db', sqliteOptions(root))
  await first.database.write(() => {
    for (let index = 0; index < 500; index += 1) first.database.run("INSERT INTO lease (name, owner, machine, pid, until) VALUES (?, '', '', 0, 0)", `${index}`.padEnd(500))
  })
  await first.release()
  scribble(join(root, 'q.db'))

  const damaged = await openDatabase('sqlite:q.db', sqliteOptions(root))
  onTestFinished(() => damaged.release())
  const { database } = damaged

  await expect(database.write(() => database.run('UPDATE lease SET until = 1'))).rejects.toThrow('is damaged. It was left as it is')
  await expect(database.read(() => database.all('SELECT * FROM lease'))).rejects.toThrow('is damaged. It was left as it is')
  expect(statSync(join(root, 'q.db')).size).toBeGreaterThan(100_000)
})

const disk = smallDisk()

describe.skipIf(disk === undefined)(`on a full disk${disk === undefined ? ' (skipped: needs to be root to mount a small one)' : ''}`, () => {
  let folder: string

  beforeAll(() => {
    folder = disk?.mount() ?? ''
  })

  afterAll(() => disk?.unmount())

  test('says that the disk is full, writes nothing by halves, and goes on when there is room', async () => {
    const { database, release } = await openDatabase('sqlite:q.db', sqliteOptions(folder))
    onTestFinished(release)
    const put = (name: string, size: number): Promise<number> =>
      database.write(() => database.run("INSERT INTO lease (name, owner, machine, pid, until) VALUES (?, ?, '', 0, 0)", name, 'x'.repeat(size)))

    const names = ['one', 'large', 'two']
    const outcomes = await Promise.allSettled([put('one', 1000), put('large', 4_000_000), put('two', 1000)])
    const kept = await database.read(() => database.all<{ name: string }>('SELECT name FROM lease').map(({ name }) => name))
    await put('after', 10)

    expect(outcomes[1]).toMatchObject({ reason: { message: expect.stringContaining('the disk is full. Free some space') } })
    expect(kept).toEqual(names.filter((_, index) => outcomes[index]?.status === 'fulfilled'))
  })
})

/** Overwrites everything behind the first page, which holds the schema. */
function scribble(path: string): void {
  const descriptor = openSync(path, 'r+')
  const { size } = statSync(path)
  ftruncateSync(descriptor, 12_288)
  writeSync(descriptor, Buffer.alloc(size - 4096, 0x5a), 0, size - 4096, 4096)
  closeSync(descriptor)
}

/** A file system of two megabytes, if this process may make one. */
function smallDisk(): { mount(): string; unmount(): void } | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'celeriac-disk-'))
  const mount = (): boolean => spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder]).status === 0
  const unmount = (): void => {
    spawnSync('umount', [folder])
    rmSync(folder, { recursive: true, force: true })
  }
  if (mount()) return { mount: () => folder, unmount }
  rmSync(folder, { recursive: true, force: true })
  return undefined
}
