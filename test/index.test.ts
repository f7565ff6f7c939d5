import { expect, test } from 'vitest'

import * as errors from '../src/errors.ts'
import * as surface from '../src/index.ts'

test('the package exports these names and every error', () => {
  const names = ['Celery', 'Future', 'FuturePool', 'Submitted', 'currentApp', 'currentTask', 'kw', 'recordType']

  expect(Object.keys(surface).sort()).toEqual([...names, ...Object.keys(errors)].sort())
})
