import { type Row, type Rounds, series } from './measurement.ts'
import { median } from './statistics.ts'

const MISSING = '–'

/**
 * A row about speed, more being better: the medians of both sides and the median of the ratios round by round.
 *
 * Rounds are paired because both sides of one round ran on the machine as it was in the same half minute.
 */
export function speedRow(what: string, rounds: Rounds, figure: string, leastRatio: number): Row {
  const ours = series(rounds.celeriac, figure)
  const peer = series(rounds.bullmq, figure)
  const ratio = median(ours.slice(0, peer.length).map((value, round) => value / (peer[round] ?? Number.NaN)))
  return {
    what,
    ours: formatNumber(median(ours)),
    peer: formatNumber(median(peer)),
    ratio: Number.isNaN(ratio) ? MISSING : `${ratio.toFixed(2)} ×`,
    target: `≥ ${leastRatio} × BullMQ`,
    met: Number.isNaN(ratio) ? undefined : ratio >= leastRatio,
  }
}

/** A row about something of ours that must stay at or below `most`, beside the peer's figure if it has one. */
export function limitRow(what: string, ours: number, most: number, unit: string, peer: number = Number.NaN): Row {
  return {
    what,
    ours: withUnit(ours, unit),
    peer: withUnit(peer, unit),
    ratio: Number.isNaN(ours / peer) ? MISSING : `${(ours / peer).toFixed(2)} ×`,
    target: `≤ ${most} ${unit}`,
    met: Number.isNaN(ours) ? undefined : ours <= most,
  }
}

/** Three significant digits, thousands apart; a dash when there is none. */
export function formatNumber(value: number): string {
  return Number.isNaN(value) ? MISSING : value.toLocaleString('en', { maximumSignificantDigits: value >= 1000 ? 4 : 3 })
}

function withUnit(value: number, unit: string): string {
  return Number.isNaN(value) ? MISSING : `${formatNumber(value)} ${unit}`
}
