import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { OperationalError } from '../../../src/errors.ts'
import { databasePath } from '../../../src/internal/sqlite/location.ts'
import { openDatabase } from '../../../src/internal/sqlite/open.ts'
import { failOnLeftovers } from '../../support/leaks.ts'
import { StoreProcess } from '../../support/store-process.ts'
import { within } from '../../support/within.ts'
import { sqliteOptions, temporaryFolder } from './fixture.ts'

failOnLeftovers()

test.each([
  ['sqlite:', '/project/.celeriac/celeriac.db'],
  ['sqlite://', '/project/.celeriac/celeriac.db'],
  ['sqlite:data/queue.db', '/project/data/queue.db'],
  ['sqlite:./my queue.db', '/project/my queue.db'],
  ['sqlite:/var/queue.db', '/var/queue.db'],
  ['sqlite:///var/queue.db', '/var/queue.db'],
])('%s is the file %s', (url, path) => {
  expect(databasePath(url, '/project')).toBe(path)
})

test('refuses two slashes, which say neither relative nor absolute', () => {
  expect(() => databasePath('sqlite://queue.db', '/project')).toThrow('Expected sqlite:relative/path.db or sqlite:///absolute/path.db, got "sqlite://queue.db"')
})

test('makes the folder and the file for this user only, and keeps them out of git', async () => {
  const root = temporaryFolder()

  const { database, release } = await openDatabase('sqlite:', sqliteOptions(root))
  await release()

  expect(statSync(join(root, '.celeriac')).mode & 0o777).toBe(0o700)
  expect(statSync(database.path).mode & 0o777).toBe(0o600)
  expect(readFileSync(join(root, '.celeriac', '.gitignore'), 'utf8')).toBe('*\n')
})

test('shares one connection between all who name the same file, until the last gives it back', async () => {
  const root = temporaryFolder()
  mkdirSync(join(root, 'real'))
  symlinkSync(join(root, 'real'), join(root, 'link'))
  const one = await openDatabase('sqlite:real/q.db', sqliteOptions(root))
  const two = await openDatabase('sqlite:link/q.db', sqliteOptions(root))

  await one.release()
  await one.release()

  expect(two.database).toBe(one.database)
  expect(await two.database.read(() => two.database.get('SELECT 1 AS one'))).toEqual({ one: 1 })
  await two.release()
  await expect(two.database.read(() => two.database.get('SELECT 1 AS one'))).rejects.toThrow('not open')
})

test('keeps its lock on the file when it is opened a second time', async () => {
  const root = temporaryFolder()
  const one = await openDatabase('sqlite:', sqliteOptions(root))
  await one.database.write(() => one.database.run("INSERT INTO lease VALUES ('kept', '', '', 0, '', 0)"))
  const two = await openDatabase('sqlite:', sqliteOptions(root))

  // Another process that opens and closes the file removes the log if it believes to be the last one.
  spawnSync(process.execPath, ['-e', `const { DatabaseSync } = require('node:sqlite'); const d = new DatabaseSync(${JSON.stringify(one.database.path)}); d.prepare('SELECT * FROM lease').all(); d.close()`])

  expect(existsSync(`${one.database.path}-wal`)).toBe(true)
  await one.release()
  await two.release()
})

test('refuses a folder in the place of the file', async () => {
  const root = temporaryFolder()
  mkdirSync(join(root, 'q.db'))

  await expectRefusal('sqlite:q.db', root, `Expected a database file at "${join(root, 'q.db')}", found a folder`)
})

test('says so when the place cannot be written', async () => {
  const root = temporaryFolder()
  writeFileSync(join(root, 'file'), '')

  await expectRefusal('sqlite:file/q.db', root, 'cannot be written (ENOTDIR). Make its folder writable')
  await expectRefusal('sqlite:///proc/celeriac/q.db', root, 'cannot be written (ENOENT)')
})

test('refuses what is not a database, and leaves it as it is', async () => {
  const root = temporaryFolder()
  writeFileSync(join(root, 'notes.txt'), 'my notes\n'.repeat(1000))

  await expectRefusal('sqlite:notes.txt', root, 'is not a SQLite database. It was left as it is')

  expect(readFileSync(join(root, 'notes.txt'), 'utf8')).toBe('my notes\n'.repeat(1000))
})

test("refuses another program's database, and leaves it as it is", async () => {
  const root = temporaryFolder()
  const other = new DatabaseSync(join(root, 'shop.db'))
  other.exec('CREATE TABLE orders (id)')
  other.close()
  const before = readFileSync(join(root, 'shop.db'))

  await expectRefusal('sqlite:shop.db', root, 'belongs to another program')

  expect(readFileSync(join(root, 'shop.db')).equals(before)).toBe(true)
})

test('refuses a database of a newer version', async () => {
  const root = temporaryFolder()
  const { database, release } = await openDatabase('sqlite:q.db', sqliteOptions(root))
  await database.write(() => database.run('PRAGMA user_version = 99'))
  await release()

  await expectRefusal('sqlite:q.db', root, 'was written by a newer version (schema 99, this version knows 1)')
})

test('says which process locks the database', async () => {
  const root = temporaryFolder()
  const { database, release } = await openDatabase('sqlite:q.db', sqliteOptions(root))
  await release()
  const holder = spawn(
    process.execPath,
    ['-e', `const { DatabaseSync } = require('node:sqlite'); const d = new DatabaseSync(${JSON.stringify(database.path)}); d.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; DELETE FROM lease'); console.log('held'); process.stdin.resume()`],
    { stdio: ['pipe', 'pipe', 'ignore'] },
  )
  onTestFinished(() => void holder.kill('SIGKILL'))
  await within(once(holder.stdout, 'data'), 'the lock to be held')

  await expectRefusal('sqlite:q.db', root, `is locked by another program. Held by process ${holder.pid} (`)
})

test('opens when the lock is given up in time', async () => {
  const root = temporaryFolder()
  const { database, release } = await openDatabase('sqlite:q.db', sqliteOptions(root))
  await release()
  const other = new DatabaseSync(database.path)
  other.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; DELETE FROM lease')

  const opening = openDatabase('sqlite:q.db', sqliteOptions(root, { connectionTimeoutMs: 5000 }))
  await new Promise((resolve) => setImmediate(resolve))
  other.close()

  await (await within(opening, 'the database to open')).release()
})

test('lets several processes make the same file at once', async () => {
  const root = temporaryFolder()

  const processes = await Promise.all([1, 2, 3].map(() => StoreProcess.start({ url: 'sqlite:', root })))

  await Promise.all(processes.map((one) => one.kill()))
  expect(processes).toHaveLength(3)
})

test('does not print that SQLite is experimental', () => {
  const source = join(import.meta.dirname, '../../../src/internal/sqlite/load.ts')
  const script = `import { loadSqlite } from ${JSON.stringify(source)}; new (loadSqlite().DatabaseSync)(':memory:'); process.emitWarning('kept')`

  const { stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })

  expect(stderr).toContain('kept')
  expect(stderr).not.toContain('SQLite')
})

test.each([
  ['its folder was deleted', (path: string) => rmSync(dirname(path), { recursive: true })],
  ['it alone was deleted', (path: string) => rmSync(path)],
])('goes on with a new file when %s, and nothing of it is lost when the old one is closed', async (_title, remove) => {
  const root = temporaryFolder()
  const { database, release } = await openDatabase('sqlite:', sqliteOptions(root))
  const put = (name: string): Promise<number> => database.write(() => database.run("INSERT INTO lease (name, owner, machine, pid, until) VALUES (?, '', '', 0, 0)", name))
  await put('before')

  remove(database.path)
  await Promise.all([put('one'), put('two')])
  await put('three')

  const aside = new DatabaseSync(database.path)
  expect(aside.prepare('SELECT name FROM lease').all()).toEqual([{ name: 'one' }, { name: 'three' }, { name: 'two' }])
  aside.close()
  await release()
  await (await openDatabase('sqlite:', sqliteOptions(root))).release()
})

test('numbers of a file made anew are above those of the file before', async () => {
  const root = temporaryFolder()
  const { database, release } = await openDatabase('sqlite:', sqliteOptions(root))

  const first = database.insert("INSERT INTO consumer (tag, name, machine, host, pid, queues, lease_until, children) VALUES ('', '', '', '', 0, '', 0, '')")

  expect(first).toBeGreaterThan((Date.now() - 60_000) * 1000)
  await release()
})

test('says why a deleted file cannot be made anew, and goes on once it can', async () => {
  const root = temporaryFolder()
  const { database, release } = await openDatabase('sqlite:', sqliteOptions(root))
  const folder = join(root, '.celeriac')
  const write = (): Promise<unknown> => database.write(() => database.run('DELETE FROM lease')).catch((error: unknown) => String(error))

  rmSync(folder, { recursive: true })
  writeFileSync(folder, 'in the way')
  expect(await write()).toContain('cannot be written')
  rmSync(folder)

  expect(await write()).toBe(0)
  await release()
})

test('writes the .gitignore of a folder that is there without one', async () => {
  const root = temporaryFolder()
  mkdirSync(join(root, '.celeriac'))

  const { release } = await openDatabase('sqlite:', sqliteOptions(root))

  expect(readFileSync(join(root, '.celeriac', '.gitignore'), 'utf8')).toBe('*\n')
  await release()
})

async function expectRefusal(url: string, root: string, message: string): Promise<void> {
  const refused = openDatabase(url, sqliteOptions(root))

  await expect(refused).rejects.toBeInstanceOf(OperationalError)
  await expect(refused).rejects.toThrow(message)
}
