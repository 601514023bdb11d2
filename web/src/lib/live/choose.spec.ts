import { describe, expect, it } from 'vitest'
import type { Stream } from '../api/types'
import { mimeOf, plan, profilesOf, type Abilities } from './choose'

const opus = { codec: 'opus', rfc6381: 'opus', sample_rate: 48000, channels: 2 }
const aac = { codec: 'aac', rfc6381: 'mp4a.40.2', sample_rate: 16000, channels: 1 }
const stream = (more: Partial<Stream> = {}): Stream => ({
  profile: 'main', codec: 'h264', rfc6381: 'avc1.4d0016', width: 768, height: 432, fps: 10, reorder: false, audio: opus, ...more,
})
const chromium: Abilities = {
  webrtcH264: new Set(['42', '4d', 'f4']),
  webrtcAudio: new Set(['opus', 'pcmu', 'pcma']),
  mse: (mime) => /avc1/.test(mime) && !/hvc1|hev1/.test(mime),
}
const want = { quality: 'auto', audio: true } as const
const ways = (s: Stream[], can = chromium, w: { quality: 'auto' | 'sub'; audio: boolean } = want) => plan(s, can, w).steps.map((x) => x.transport)

describe('plan', () => {
  it('takes WebRTC for plain H.264 with Opus, keeps MSE and stills behind it', () => {
    expect(ways([stream()])).toEqual(['whep', 'mse', 'stills'])
    expect(plan([stream()], chromium, want).reasons).toEqual([])
  })
  it('takes MSE for pictures out of order, and says why', () => {
    const p = plan([stream({ reorder: true })], chromium, want)
    expect(p.steps.map((s) => s.transport)).toEqual(['mse', 'stills'])
    expect(p.reasons).toEqual(['live.why.reorder'])
  })
  it('takes MSE for AAC when sound is wanted, WebRTC when it is not', () => {
    expect(ways([stream({ audio: aac })])).toEqual(['mse', 'whep', 'stills'])
    expect(ways([stream({ audio: aac })], chromium, { quality: 'auto', audio: false })).toEqual(['whep', 'mse', 'stills'])
  })
  it('takes silent WebRTC when neither way carries the sound', () => {
    const odd = { codec: 'g726', rfc6381: '', sample_rate: 8000, channels: 1 }
    expect(ways([stream({ audio: odd })])).toEqual(['whep', 'mse', 'stills'])
    expect(plan([stream({ audio: odd })], chromium, want).reasons).toEqual(['live.why.aac'])
  })
  it('goes down to stills for H.265 without support, naming the codec', () => {
    const p = plan([stream({ codec: 'h265', rfc6381: 'hvc1.1.6.L93.B0' })], chromium, want)
    expect(p.steps.map((s) => s.transport)).toEqual(['stills'])
    expect(p.reasons).toEqual(['live.why.codecWebrtc', 'live.why.h265'])
  })
  it('works in a browser without WebRTC, and in one without either', () => {
    expect(ways([stream()], { ...chromium, webrtcH264: null })).toEqual(['mse', 'stills'])
    expect(ways([stream()], { webrtcH264: null, webrtcAudio: new Set(), mse: null })).toEqual(['stills'])
  })
  it('looks at the sub stream for a tile', () => {
    const both = [stream({ reorder: true }), stream({ profile: 'sub', rfc6381: 'avc1.42c00c', audio: null })]
    expect(ways(both, chromium, { quality: 'sub', audio: false })[0]).toBe('whep')
    expect(ways(both)[0]).toBe('mse')
  })
  it('has something to show before the stream is known', () => {
    expect(plan([], chromium, want)).toEqual({ steps: [{ transport: 'stills' }], reasons: ['live.why.unknown'] })
  })
})

describe('types', () => {
  it('name the sound only where MP4 carries it', () => {
    expect(mimeOf(stream({ audio: aac }), true)).toBe('video/mp4; codecs="avc1.4d0016,mp4a.40.2"')
    expect(mimeOf(stream({ audio: { ...opus, codec: 'pcma', rfc6381: '' } }), true)).toBe('video/mp4; codecs="avc1.4d0016"')
    expect(mimeOf(stream(), false)).not.toContain('opus')
  })
  it('reads the profiles of a capability list', () => {
    const got = profilesOf([
      { mimeType: 'video/VP8' },
      { mimeType: 'video/H264', sdpFmtpLine: 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=64001f' },
    ])
    expect([...got].sort()).toEqual(['42', '4d', '64'])
  })
})
