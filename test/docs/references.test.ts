import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'

import { ROOT } from './code-blocks.ts'

const pages = ['README.md', 'CHANGELOG.md', ...globSync('docs/*.md', { cwd: ROOT })]

describe.each(pages)('%s', (page) => {
  const text = readFileSync(join(ROOT, page), 'utf8')

  test('links to files that exist', () => {
    const targets = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, target = '']) => target).filter((target) => !target.includes('://'))

    expect(targets.filter((target) => !existsSync(join(ROOT, dirname(page), target)))).toEqual([])
  })

  test('names paths of the repository that exist', () => {
    const paths = [...text.matchAll(/`((?:src|test|docs|examples|scripts|bench)\/[\w./*-]+)`/g)].map(([, path = '']) => path)

    expect(paths.filter((path) => globSync(path, { cwd: ROOT }).length === 0)).toEqual([])
  })
})

test('the page on internals names the five steps of the main path in order', () => {
  const text = readFileSync(join(ROOT, 'docs/internals.md'), 'utf8')
  const steps = [...text.matchAll(/^\d\. \*\*`(src\/[^`]+)`/gm)].map(([, path]) => path)

  expect(steps).toEqual(['src/submitter.ts', 'src/worker/consumer.ts', 'src/worker/request.ts', 'src/worker/execute.ts', 'src/worker/request.ts'])
})
