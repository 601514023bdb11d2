import type { Camera } from '../api'
import { t } from '../words/index.svelte'

export interface Health {
  tone: 'ok' | 'warn' | 'alert' | 'plain'
  sentence: string
}

export const isLive = (c: Camera) => c.state.phase === 'live'
export const isOff = (c: Camera) => c.state.phase === 'waiting' || c.state.phase === 'stopped'

/** One sentence about all cameras: the first thing Home says. */
export function health(cameras: Camera[]): Health {
  const total = cameras.length
  const off = cameras.filter(isOff).length
  const live = cameras.filter(isLive).length
  const recording = cameras.filter((c) => c.recording.actual).length
  if (total === 0) return { tone: 'plain', sentence: t('health.none') }
  if (off === total) return { tone: 'alert', sentence: t('health.allOff', { n: total }) }
  if (off > 0) return { tone: 'warn', sentence: t('health.someOff', { off, live }) }
  const broken = cameras.filter((c) => c.recording.mode === 'on' && c.recording.consent === 'given' && !c.recording.actual && isLive(c)).length
  if (broken > 0) return { tone: 'warn', sentence: t('health.notRecording', { n: broken }) }
  if (live < total) return { tone: 'plain', sentence: t('health.connecting', { n: total - live }) }
  if (recording === 0) return { tone: 'ok', sentence: t('health.live', { n: total }) }
  if (recording === total) return { tone: 'ok', sentence: t('health.allRecording', { n: total, days: Math.min(...cameras.map((c) => c.retention.days || 0)) }) }
  return { tone: 'ok', sentence: t('health.someRecording', { n: total, recording }) }
}
