// Which way a live picture takes, decided from what the stream is and what this browser says it can do.
// Never from the browser's name.

import type { Stream } from '../api/types'
import type { Key } from '../words/index.svelte'

export type Transport = 'whep' | 'mse' | 'stills'
export type Quality = 'auto' | 'main' | 'sub'

export interface Step {
  transport: Transport
  /** The MSE type to open, if this is the MSE step. */
  mime?: string
}

export interface Plan {
  steps: Step[]
  /** Why a better way was left out, in the order of the ways. */
  reasons: Key[]
}

export interface Abilities {
  /** H.264 profiles WebRTC can receive, as the two hex digits of profile_idc; null = no WebRTC at all. */
  webrtcH264: Set<string> | null
  /** Lower-case audio codecs WebRTC can receive. */
  webrtcAudio: Set<string>
  mse: ((mime: string) => boolean) | null
}

/** Asks the browser. */
export function abilities(): Abilities {
  const video = globalThis.RTCRtpReceiver?.getCapabilities?.('video')
  const audio = globalThis.RTCRtpReceiver?.getCapabilities?.('audio')
  const source = mediaSource()
  return {
    webrtcH264: video ? profilesOf(video.codecs) : null,
    webrtcAudio: new Set((audio?.codecs ?? []).map((c) => c.mimeType.split('/')[1]!.toLowerCase())),
    mse: source ? (mime) => source.isTypeSupported(mime) : null,
  }
}

export function profilesOf(codecs: { mimeType: string; sdpFmtpLine?: string }[]): Set<string> {
  const out = new Set<string>()
  for (const c of codecs) {
    if (c.mimeType.toLowerCase() !== 'video/h264') continue
    out.add(/profile-level-id=([0-9a-f]{2})/i.exec(c.sdpFmtpLine ?? '')?.[1]?.toLowerCase() ?? '42')
  }
  // A decoder of High profile reads Main and Baseline; some browsers list only the lower ones and read High all the same.
  if (out.has('64')) out.add('4d').add('42')
  if (out.has('4d')) out.add('42')
  return out
}

/** iPhones have only ManagedMediaSource; it comes first because it saves power where both exist. */
export function mediaSource(): typeof MediaSource | undefined {
  const g = globalThis as { ManagedMediaSource?: typeof MediaSource; MediaSource?: typeof MediaSource }
  return g.ManagedMediaSource ?? g.MediaSource
}

const webrtcNames: Record<string, string[]> = { opus: ['opus'], pcmu: ['pcmu'], pcma: ['pcma'], g711: ['pcmu', 'pcma'], g711u: ['pcmu'], g711a: ['pcma'] }

/** The stream a viewer of this quality ends on. */
export function pick(streams: Stream[], quality: Quality): Stream | undefined {
  const main = streams.find((s) => s.profile === 'main')
  const sub = streams.find((s) => s.profile === 'sub')
  return quality === 'sub' ? (sub ?? main) : (main ?? sub)
}

export function mimeOf(stream: Stream, audio: boolean): string {
  const sound = audio && stream.audio && /^(mp4a|opus|flac)/i.test(stream.audio.rfc6381) ? stream.audio.rfc6381 : null
  return `video/mp4; codecs="${sound ? `${stream.rfc6381},${sound}` : stream.rfc6381}"`
}

/** The ways to try, best first. Stills are always the last: they need nothing but a picture. */
export function plan(streams: Stream[], can: Abilities, want: { quality: Quality; audio: boolean }): Plan {
  const stream = pick(streams, want.quality)
  const steps: Step[] = []
  const reasons: Key[] = []
  if (!stream) return { steps: [{ transport: 'stills' }], reasons: ['live.why.unknown'] }

  const whep = whyNotWebRTC(stream, can, want.audio)
  if (whep) reasons.push(whep)
  else steps.push({ transport: 'whep' })

  const mime = mimeOf(stream, want.audio)
  if (!can.mse) reasons.push('live.why.noMse')
  else if (can.mse(mime)) steps.push({ transport: 'mse', mime })
  else reasons.push(/^h\.?26[56]|hevc/i.test(stream.codec) ? 'live.why.h265' : 'live.why.codec')

  // A sound that WebRTC cannot carry keeps it from carrying the sound only: silent WebRTC comes before silent MSE,
  // and before stills in any case.
  if (whep === 'live.why.aac') {
    if (mimeOf(stream, true) === mimeOf(stream, false)) steps.unshift({ transport: 'whep' })
    else steps.push({ transport: 'whep' })
  }
  steps.push({ transport: 'stills' })
  return { steps, reasons }
}

function whyNotWebRTC(stream: Stream, can: Abilities, audio: boolean): Key | null {
  if (!can.webrtcH264) return 'live.why.noWebrtc'
  if (!/^h\.?264|^avc/i.test(stream.codec)) return 'live.why.codecWebrtc'
  if (stream.reorder) return 'live.why.reorder'
  const profile = /^avc[13]\.([0-9a-f]{2})/i.exec(stream.rfc6381)?.[1]?.toLowerCase() ?? '42'
  if (can.webrtcH264.size === 0 || (!can.webrtcH264.has(profile) && profile !== '64')) return 'live.why.profile'
  if (audio && stream.audio) {
    const name = stream.audio.codec.toLowerCase().replace(/[^a-z0-9]/g, '')
    if (!(webrtcNames[name] ?? []).some((n) => can.webrtcAudio.has(n))) return 'live.why.aac'
  }
  return null
}
