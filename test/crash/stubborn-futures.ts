import { fileURLToPath } from 'node:url'

import { startWeb, type WebProcess } from '../services/web-process.ts'

const WEB = fileURLToPath(new URL('fixtures/stubborn-web.ts', import.meta.url))

const FUTURES = /^futures (.*)$/m

/** What a stubborn web process is started with. */
export interface StubbornOptions {
  readonly folder: string
  readonly env: NodeJS.ProcessEnv
  readonly tasks: number
  /** Between two batches of 25. */
  readonly everyMs: number
  /** How long a task takes, on average. */
  readonly taskMs: number
}

/** How the waits of a web process ended. */
export interface StubbornFutures {
  readonly resolved: number
  readonly rejected: number
  readonly reasons: readonly string[]
  /** Calls that were rejected and made again. */
  readonly resent: number
  /** Waits that began while the server was away, gave up, and began again. */
  readonly askedAgain: number
}

/** Starts a web process that submits tasks whatever becomes of the server, and waits for their results. */
export function startStubbornWeb({ folder, env, tasks, everyMs, taskMs }: StubbornOptions): WebProcess {
  return startWeb(['--unhandled-rejections=strict', WEB, folder, ...[tasks, everyMs, taskMs].map(String)], env)
}

/** Resolves when all of its waits have ended. */
export async function futuresOf(web: WebProcess, timeoutMs: number): Promise<StubbornFutures> {
  const ended = web.ended.then(({ code, signal }) =>
    // What it wrote last may not have been read yet.
    web.says(FUTURES, 1_000).catch(() => Promise.reject(new Error(`A web process ended (${code ?? signal}) before its futures had:\n${web.output()}`))),
  )
  ended.catch(() => {})
  const [, line = ''] = await Promise.race([web.says(FUTURES, timeoutMs), ended])
  return JSON.parse(line) as StubbornFutures
}
