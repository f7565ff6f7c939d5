import { editDistance } from '../internal/edit-distance.ts'

/**
 * The name that `key` was probably meant to be; undefined when none is near.
 *
 * Case, `_`, `-` and a leading `CELERY_`, `CELERYD_` or `CELERIAC_` do not count. `strict` accepts only a slip of the
 * fingers (at most two letters); otherwise a third of the letters, rounded up, may differ, and part of a single name is
 * enough ("concurrency" finds "workerConcurrency").
 */
export function nearest(key: string, names: readonly string[], strictness: 'strict' | 'generous' = 'generous'): string | undefined {
  const wanted = plain(key)
  const limit = strictness === 'strict' ? Math.min(2, Math.floor(wanted.length / 4)) : Math.ceil(wanted.length / 3)
  let best: string | undefined
  let bestDistance = limit + 1
  for (const name of names) {
    const distance = editDistance(wanted, plain(name))
    if (distance < bestDistance) {
      best = name
      bestDistance = distance
    }
  }
  if (best !== undefined || strictness === 'strict' || wanted.length < 4) return best
  const containing = names.filter((name) => plain(name).includes(wanted))
  return containing.length === 1 ? containing[0] : undefined
}

function plain(name: string): string {
  return name.toLowerCase().replace(/^celer(yd?|iac)(?=[_-])/, '').replace(/[_-]/g, '')
}
