import { globSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

import * as errors from '../src/errors.ts'

const ROOT = `${import.meta.dirname}/..`
const page = readFileSync(`${ROOT}/docs/errors.md`, 'utf8')
const classes = Object.keys(errors).filter((name) => name !== 'CeleriacError')

/** The text under each code, by code. */
const sections = new Map(page.split(/^## /m).slice(1).map((section) => [section.slice(0, section.indexOf('\n')), section] as const))

describe('docs/errors.md', () => {
  test('has a section for every code that the sources use, and for no other', () => {
    const sources = globSync('src/**/*.ts', { cwd: ROOT }).map((file) => readFileSync(`${ROOT}/${file}`, 'utf8'))
    const used = new Set(sources.flatMap((source) => source.match(/(?<=')ERR_CELERIAC_[A-Z_]+(?=')/g) ?? []))

    expect([...sections.keys()].sort()).toEqual([...used].sort())
  })

  test('names the class of every code', () => {
    const source = readFileSync(`${ROOT}/src/errors.ts`, 'utf8')
    const pairs = [...source.matchAll(/^export class (\w+) (?:(?!^export)[\s\S])*?'(ERR_CELERIAC_\w+)'/gm)].map(([, name, code]) => ({ name, code }))

    expect(pairs.map(({ name }) => name)).toEqual(expect.arrayContaining(classes))
    for (const { name, code } of pairs) expect(sections.get(code ?? '')).toContain(`\n\n\`${name}\``)
  })

  test('says of every code what to do', () => {
    for (const section of sections.values()) expect(section).toMatch(/\*\*What to do:\*\* \S/)
  })
})

test('every error is an Error that carries its class as its name', () => {
  for (const name of classes) expect((errors as unknown as Record<string, { prototype: unknown }>)[name]?.prototype).toBeInstanceOf(Error)
  expect(new errors.PoolNotFoundError('gone', 'id')).toMatchObject({ name: 'PoolNotFoundError', code: 'ERR_CELERIAC_POOL_NOT_FOUND', poolId: 'id' })
  expect(new errors.InvalidTaskError('no')).toMatchObject({ name: 'InvalidTaskError', code: 'ERR_CELERIAC_INVALID_TASK' })
})
