import { ImproperlyConfigured } from '../errors.ts'
import type { Config } from './config.ts'
import { isEmbedded, maskUrl } from './url.ts'

/**
 * Refuses a serializer of results that the result backend at `url` cannot have.
 * @throws {@link ImproperlyConfigured} saying what to do.
 */
export function assertResultContent(conf: Config, url: string): void {
  const { resultAcceptContent: accepted, resultSerializer: name } = conf
  const problems: string[] = []
  // Run eagerly, tasks leave their results in this process, whatever is configured.
  if (name !== 'json' && isEmbedded(url) && !conf.taskAlwaysEager) {
    problems.push(`"resultSerializer" is "${name}", but the result backend "${maskUrl(url)}" keeps JSON. Use "json", or a result backend on Redis.`)
  }
  if (!accepted.includes(name)) {
    problems.push(`"resultAcceptContent" must have "${name}" among them, in which results are ("resultSerializer"), not ${JSON.stringify(accepted)}.`)
  }
  if (problems.length > 0) throw new ImproperlyConfigured(problems)
}
