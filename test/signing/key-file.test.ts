import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ImproperlyConfigured } from '../../src/errors.ts'
import { KeyFile } from '../../src/signing/key-file.ts'
import { openKeyRing, type KeyRing } from '../../src/signing/key-ring.ts'
import { within } from '../support/within.ts'
import { message, signed } from './samples.ts'

const ONE = '1'.repeat(32)
const TWO = '2'.repeat(32)
const NOW_MS = Date.UTC(2026, 10, 20)

let root: string
let path: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'key-file-'))
  path = join(root, '.celeriac', 'secret.key')
})

afterEach(() => {
  vi.restoreAllMocks()
  rmSync(root, { recursive: true, force: true })
})

describe('the default file', () => {
  test('is made at first use, for its owner only, with a random key', () => {
    const texts = defaultFile().look()

    expect(texts).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)])
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(join(root, '.celeriac')).mode & 0o777).toBe(0o700)
    expect(readFileSync(path, 'utf8')).toContain(texts?.[0])
    expect(readdirSync(join(root, '.celeriac')).sort()).toEqual(['.gitignore', 'secret.key'])
  })

  test('is taken as it is when it is there', () => {
    const [made] = defaultFile().look() ?? []

    expect(defaultFile().look()).toEqual([made])
  })

  test('is put back with the keys of this process when it was deleted', () => {
    const keys = openRing()
    const signature = keys.sign(message(), NOW_MS)
    rmSync(join(root, '.celeriac'), { recursive: true })

    keys.sign(message(), NOW_MS + 1000)

    expect(openRing().verify(signed(message(), signature), NOW_MS)).toBeUndefined()
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  test('is put back with all of its keys, in their order', () => {
    mkdirSync(join(root, '.celeriac'))
    write(path, `${TWO}\n${ONE}\n`)
    const file = defaultFile()
    file.look()
    rmSync(path)

    file.look()

    expect(defaultFile().look()).toEqual([TWO, ONE])
  })

  test('is not put back in a project that has gone', () => {
    const file = defaultFile()
    file.look()
    rmSync(root, { recursive: true })

    expect(() => file.look()).toThrow(ImproperlyConfigured)
    expect(existsSync(root)).toBe(false)
  })

  test('of another process that was faster after a deletion is taken over, and both understand each other', () => {
    const ours = openRing()
    const early = signed(message(), ours.sign(message(), NOW_MS))
    rmSync(join(root, '.celeriac'), { recursive: true })
    const theirs = openRing()
    const sent = signed(message(), theirs.sign(message(), NOW_MS))

    expect(ours.verify(sent, NOW_MS)).toBeUndefined()
    expect(ours.verify(early, NOW_MS)).toBeUndefined()
    expect(theirs.verify(signed(message(), ours.sign(message(), NOW_MS + 1000)), NOW_MS)).toBeUndefined()
  })

  test('that cannot be made says what to do', () => {
    writeFileSync(join(root, '.celeriac'), 'a file where the folder should be')

    expect(() => defaultFile().look()).toThrow(/^The key file .*secret\.key cannot be used: .*Set CELERY_SECRET_KEY/)
  })

  test('is one for all of several processes that start at once', async () => {
    const children = [1, 2, 3].map(() => fork(join(import.meta.dirname, 'signing-process.ts'), { execArgv: [] }))
    try {
      await Promise.all(children.map((child) => answerOf(child)))
      for (let round = 0; round < 15; round++) {
        const fresh = join(root, String(round))
        mkdirSync(fresh)
        const answers = children.map((child) => answerOf(child))
        for (const child of children) child.send({ root: fresh })
        const signatures = await Promise.all(answers)

        const keys = openRing({ root: fresh })
        for (const signature of signatures) expect(keys.verify(signed(message(), signature), NOW_MS)).toBeUndefined()
        expect(readdirSync(join(fresh, '.celeriac')).sort()).toEqual(['.gitignore', 'secret.key'])
      }
    } finally {
      const exits = children.map((child) => once(child, 'exit'))
      for (const child of children) child.disconnect()
      await within(Promise.all(exits), 'the processes to end', 20_000)
    }
  })
})

describe('a file that was named', () => {
  test('holds a key per line; blank lines, comments and blanks around keys do not count', () => {
    write(named(), `\uFEFF# made by hand\r\n\r\n  ${TWO}  \r\n# the old one\n${ONE}`)

    expect(namedFile().look()).toEqual([TWO, ONE])
  })

  test('is found from the root', () => {
    write(named(), `${ONE}\n`)
    const signature = openRing({ secretKey: ONE }).sign(message(), NOW_MS)

    expect(openRing({ secretKeyFile: 'app.key' }).verify(signed(message(), signature), NOW_MS)).toBeUndefined()
  })

  test('is an error when it is missing, and is not made', () => {
    expect(() => namedFile().look()).toThrow(`The key file ${named()} does not exist. Write a key into it, e.g. with: (umask 077; openssl rand -hex 32 > ${named()})`)
    expect(existsSync(named())).toBe(false)
  })

  test.each([0o644, 0o640, 0o604, 0o620, 0o602, 0o610])('with the mode %o is refused', (mode) => {
    write(named(), `${ONE}\n`, mode)

    expect(() => namedFile().look()).toThrow(`Run: chmod 600 ${named()}`)
  })

  test.each([0o600, 0o400])('with the mode %o is accepted', (mode) => {
    write(named(), `${ONE}\n`, mode)

    expect(namedFile().look()).toEqual([ONE])
  })

  test('of another user is refused', () => {
    write(named(), `${ONE}\n`)
    if (process.getuid?.() === 0) chownSync(named(), 4711, 4711)
    vi.spyOn(process, 'geteuid').mockReturnValue(4712)

    expect(() => namedFile().look()).toThrow(/belongs to user \d+, .* Run: chown 4712 /)
  })

  test('may be a link to one', () => {
    write(join(root, 'real.key'), `${ONE}\n`)
    symlinkSync('real.key', named())

    expect(namedFile().look()).toEqual([ONE])
  })

  test('must not be a folder', () => {
    mkdirSync(named())

    expect(() => namedFile().look()).toThrow('is not a regular file')
  })

  test('must not be a pipe, which is not waited for', () => {
    execFileSync('mkfifo', ['-m', '600', named()])
    const script = `
      import { KeyFile } from ${JSON.stringify(pathToFileURL(join(import.meta.dirname, '../../src/signing/key-file.ts')).href)}
      try { new KeyFile(${JSON.stringify({ path: named(), root, isDefault: false })}).look() } catch (error) { console.log(error.message) }`

    // A process that waits for the pipe can only be killed.
    const said = execFileSync(process.execPath, ['--no-warnings', '--input-type=module', '-e', script], { encoding: 'utf8', timeout: 10_000, killSignal: 'SIGKILL' })

    expect(said).toContain('is not a regular file')
  })

  test('must hold a key', () => {
    write(named(), '# nothing yet\n\n')

    expect(() => namedFile().look()).toThrow('holds no key')
  })

  test('must not hold a short key, which no message shows', () => {
    write(named(), `${ONE}\nhunter2\n`)

    expect(() => namedFile().look()).toThrow(/^The key file .* has a key of 7 characters in line 2; expected are at least 16\.(?!.*hunter2)/)
  })

  test('must not be large', () => {
    write(named(), `${ONE}\n`.repeat(2000))

    expect(() => namedFile().look()).toThrow('has 66000 bytes, more than 65536')
  })
})

describe('a file that changes', () => {
  test('is told apart from one that has not', () => {
    write(named(), `${ONE}\n`)
    const file = namedFile()

    expect(file.look()).toEqual([ONE])
    expect(file.look()).toBeUndefined()
    write(join(root, 'next.key'), `${TWO}\n`)
    renameSync(join(root, 'next.key'), named())
    expect(file.look()).toEqual([TWO])
  })

  test('reaches processes that live on within a second, and what was signed before stays accepted', () => {
    write(named(), `${ONE}\n`)
    const web = openRing({ secretKeyFile: 'app.key' })
    const worker = openRing({ secretKeyFile: 'app.key' })
    const before = signed(message(), web.sign(message(), NOW_MS))
    worker.sign(message(), NOW_MS)
    write(named(), `${TWO}${TWO}\n`)

    const after = signed(message(), web.sign(message(), NOW_MS + 1000))

    expect(worker.verify(after, NOW_MS)).toBeUndefined()
    expect(worker.verify(before, NOW_MS)).toBeUndefined()
    expect(openRing({ secretKeyFile: 'app.key' }).verify(before, NOW_MS)?.reason).toBe('unknown-key')
  })

  test('is read again when it was broken and is mended', () => {
    write(named(), `${ONE}\n`)
    const file = namedFile()
    file.look()

    chmodSync(named(), 0o644)
    expect(() => file.look()).toThrow(ImproperlyConfigured)
    chmodSync(named(), 0o600)
    expect(file.look()).toEqual([ONE])
  })
})

function defaultFile(): KeyFile {
  return new KeyFile({ path, root, isDefault: true })
}

function named(): string {
  return join(root, 'app.key')
}

function namedFile(): KeyFile {
  return new KeyFile({ path: named(), root, isDefault: false })
}

function openRing(options: { root?: string; secretKey?: string; secretKeyFile?: string } = {}): KeyRing {
  return openKeyRing({ secretKey: undefined, secretKeyFile: undefined, secretKeyFallbacks: [], signatureLifetimeMs: 0, root, inMemory: false, ...options })
}

/** Writes a file with exactly this mode, whatever the mask. */
function write(file: string, contents: string, mode = 0o600): void {
  writeFileSync(file, contents)
  chmodSync(file, mode)
}

async function answerOf(child: ChildProcess): Promise<unknown> {
  const [answer] = (await within(once(child, 'message'), 'an answer of a process', 20_000)) as [unknown]
  return answer
}
