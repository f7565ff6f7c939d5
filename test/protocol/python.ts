import { spawnSync } from 'node:child_process'
import { stringifyJson, parseJson } from '../../src/protocol/json.ts'

/** Where the distribution's Celery is, if anywhere. */
const PYTHON = '/usr/bin/python3'

/** Whether Celery, msgpack and PyYAML are there for Python; tests that need them are skipped with that reason. */
export const hasCelery: boolean = spawnSync(PYTHON, ['-c', 'import celery, msgpack, yaml']).status === 0

/** Runs a script that defines `answer(question)`, which takes JSON and returns JSON, once for each question. */
export function askPython(script: string, questions: readonly unknown[]): unknown[] {
  const program = `${script}\nimport json, sys\nprint(json.dumps([answer(question) for question in json.load(sys.stdin)]))`
  const run = spawnSync(PYTHON, ['-c', program], { input: stringifyJson(questions, 'questions'), encoding: 'utf8', maxBuffer: 2 ** 28 })
  if (run.status !== 0) throw new Error(`Python failed: ${run.stderr}`)
  return parseJson(run.stdout) as unknown[]
}
