import type { Camera, CameraHealth } from '../api'

export const isLive = (c: Camera) => c.state.phase === 'live'
export const isOff = (c: Camera) => c.state.phase === 'waiting' || c.state.phase === 'stopped'

/** Since when a camera has not been live, over all attempts to reach it. */
export const awaySince = (c: Camera) => Date.parse(c.state.away_since ?? c.state.since ?? c.created_at)

/** What somebody who helps needs to know about a camera that is away. No name, no address. */
export function report(c: Camera, h: CameraHealth | undefined): string {
  const yes = (b: boolean | undefined) => (b ? 'yes' : 'no')
  return [
    'Candor: report about a camera',
    `now: ${new Date().toISOString()}`,
    `state: ${c.state.phase}${c.state.code ? ` (${c.state.code})` : ''}`,
    `away since: ${c.state.away_since ?? '-'}`,
    `next try: ${c.state.next_try ?? '-'}`,
    `recording: wanted ${yes(h?.wanted)}, writing ${yes(c.recording.actual)}`,
    `footage: ${h?.oldest ?? '-'} to ${h?.newest ?? '-'}, ${h?.kept_days ?? 0} of ${c.retention.days} days`,
    `gaps in 24 h: ${h?.gaps ?? 0}, ${h?.gap_seconds ?? 0} s`,
    `streams: ${c.streams.map((s) => `${s.profile} ${s.codec} ${s.width}x${s.height} ${s.fps}/s${s.audio ? ` ${s.audio.codec}` : ''}`).join('; ') || '-'}`,
  ].join('\n')
}
