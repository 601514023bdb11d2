import type { Stream } from '../api'
import { t } from '../words/index.svelte'

const names: Record<string, string> = { aac: 'AAC', opus: 'Opus', pcma: 'G.711 A-law', pcmu: 'G.711 µ-law', h264: 'H.264', h265: 'H.265', mjpeg: 'MJPEG', av1: 'AV1' }

export const codecName = (codec: string) => names[codec.toLowerCase().replace(/[^a-z0-9]/g, '')] ?? codec.toUpperCase()

/** One line that says what a stream is: "H.264 · 768 × 432 · 10 pictures/s · Opus". */
export function streamLine(s: Stream): string {
  return [codecName(s.codec), s.width ? `${s.width} × ${s.height}` : '', s.fps ? t('stream.fps', { n: Math.round(s.fps * 10) / 10 }) : '', s.audio ? t('stream.sound', { codec: codecName(s.audio.codec) }) : t('stream.silent')]
    .filter(Boolean)
    .join(' · ')
}
