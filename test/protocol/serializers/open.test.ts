import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { serializerName, serializerProblem } from '../../../src/protocol/serializers/open.ts'

const SOURCES = new URL('../../../src/', import.meta.url).href

/** What a process prints in which the packages cannot be found. */
function withoutPackages(code: string): unknown {
  const hide = `
    import { registerHooks } from 'node:module'
    registerHooks({ resolve: (name, context, next) => {
      if (name === 'msgpackr' || name === 'yaml') throw Object.assign(new Error('Cannot find module ' + name), { code: 'MODULE_NOT_FOUND' })
      return next(name, context)
    } })
    const { serializerNamed, serializerProblem } = await import('${SOURCES}protocol/serializers/open.ts')
    const { loadConfig } = await import('${SOURCES}config/config.ts')
    console.log(JSON.stringify((() => { try { return ${code} } catch (error) { return [error.code, error.message] } })()))`
  const run = spawnSync(process.execPath, ['--no-warnings', '--input-type=module', '-e', hide], { encoding: 'utf8' })
  if (run.status !== 0) throw new Error(run.stderr)
  return JSON.parse(run.stdout)
}

describe('serializers', () => {
  test('are known by name and by content type', () => {
    expect(['json', 'application/json', 'msgpack', 'application/x-msgpack', 'yaml', 'application/x-yaml'].map(serializerName)).toEqual(['json', 'json', 'msgpack', 'msgpack', 'yaml', 'yaml'])
    expect(['pickle', 'raw', 'constructor', '__proto__', ''].map(serializerName)).toEqual([undefined, undefined, undefined, undefined, undefined])
  })

  test.each([
    ['pickle', 'reading pickle would run code chosen by whoever wrote the message. Use "json", "msgpack" or "yaml".'],
    ['application/x-python-serialize', 'reading pickle would run code'],
    ['raw', 'raw text or bytes cannot hold the arguments of a task.'],
    ['auth', 'messages are signed with "secretKey" in whatever serializer they are.'],
    ['avro', 'there is no such serializer.'],
  ])('that are not there have their reason: %s', (name, problem) => {
    expect(serializerProblem(name)).toContain(problem)
  })

  test.each([
    ['msgpack', 'msgpackr'],
    ['yaml', 'yaml'],
  ])('whose package is missing say in one line what to install: %s', (name, needed) => {
    expect(serializerProblem(name)).toBeUndefined()
    const line = `it needs the package ${needed}, which is not installed. Run: npm install ${needed}`
    expect(withoutPackages(`serializerProblem('${name}')`)).toBe(line)
    expect(withoutPackages(`serializerNamed('${name}')`)).toEqual(['ERR_CELERIAC_CONFIG', `The serializer "${name}" cannot be used: ${line}`])
    expect(withoutPackages(`loadConfig({ options: { taskSerializer: '${name}' }, env: {} })`)).toEqual(['ERR_CELERIAC_CONFIG', `"taskSerializer" cannot use "${name}": ${line}`])
    expect(withoutPackages(`loadConfig({ options: { resultSerializer: '${name}' }, env: {} })`)).toEqual(['ERR_CELERIAC_CONFIG', `"resultSerializer" cannot use "${name}": ${line}`])
    expect(withoutPackages('loadConfig({ options: {}, env: {} }).taskSerializer')).toBe('json')
  })
})
