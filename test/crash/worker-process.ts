import { fileURLToPath } from 'node:url'

import { environment, startWeb, type WebProcess } from '../services/web-process.ts'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

/** The repository: what functions of the tests are found relative to. */
export const ROOT: string = fileURLToPath(new URL('../../', import.meta.url))

/** What a worker of its own is started with. */
export interface WorkerProcessOptions {
  /** Where it runs; it finds no application there. */
  readonly folder: string
  readonly url: string
  /** Node name. */
  readonly name?: string
  readonly concurrency?: number
  readonly env?: NodeJS.ProcessEnv
}

/** The environment of processes that share a Redis, for messages of each other. */
export function redisEnvironment(folder: string, url: string, more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return environment(folder, { CELERY_ROOT: ROOT, CELERY_BROKER_URL: url, CELERY_SECRET_KEY: SECRET, CELERY_START_LOCAL_WORKERS: 'false', ...more })
}

/** Signs what they send to each other. */
export const SECRET: string = 'a key that the processes of these tests share'

/** Starts `celeriac worker` as a process of its own; its output has its log. */
export function startWorkerProcess({ folder, url, name = 'worker@%h', concurrency = 2, env = {} }: WorkerProcessOptions): WebProcess {
  return startWeb([MAIN, '-q', 'worker', '-n', name, '-c', String(concurrency)], redisEnvironment(folder, url, env), folder)
}

/** The lines of the log in what a worker has written. */
export function logLines(output: string): { readonly level: number | string; readonly msg: string }[] {
  return output.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}')).map((line) => JSON.parse(line) as { level: number; msg: string })
}
