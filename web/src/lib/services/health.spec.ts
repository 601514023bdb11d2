import { describe, expect, it } from 'vitest'
import type { Camera } from '../api'
import { awaySince, isOff, report } from './health'

const camera = {
  id: 'x', name: 'Front door', site_id: 's', demo: false, created_at: '2026-01-01T00:00:00.000Z',
  state: { phase: 'waiting', since: '2026-01-02T00:10:00.000Z', away_since: '2026-01-02T00:00:00.000Z', code: 'camera.timeout', sentence: '192.168.1.20 did not answer.' },
  recording: { mode: 'on', consent: 'given', actual: false, sentence: '' },
  retention: { days: 7, bytes: 0 },
  streams: [{ profile: 'main', codec: 'h264', rfc6381: 'avc1', width: 1920, height: 1080, fps: 15, reorder: false, audio: null }],
} as Camera

describe('a camera that is away', () => {
  it('has been away since before the last attempt', () => {
    expect(isOff(camera)).toBe(true)
    expect(awaySince(camera)).toBe(Date.parse('2026-01-02T00:00:00.000Z'))
  })
  it('is reported without its name and address', () => {
    const text = report(camera, undefined)
    expect(text).toContain('camera.timeout')
    expect(text).toContain('main h264 1920x1080')
    expect(text).not.toContain('Front door')
    expect(text).not.toContain('192.168')
  })
})
