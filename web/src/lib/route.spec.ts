import { describe, expect, it } from 'vitest'
import { read, route } from './route'

describe('addresses', () => {
  it('are read as they are written', () => {
    expect(read(route.home()).page).toBe('home')
    expect(read(route.addCamera()).page).toBe('addCamera')
    expect(read(route.camera('c1'))).toMatchObject({ page: 'camera', id: 'c1' })
    expect(read(route.cameraSettings('c1'))).toMatchObject({ page: 'cameraSettings', id: 'c1' })
    expect(read(route.receipt('t-1'))).toMatchObject({ page: 'receipt', id: 't-1' })
    for (const page of ['privacy', 'settings', 'policy'] as const) expect(read(route[page]()).page).toBe(page)
  })
  it('carry the state of the camera page', () => {
    const at = '2026-11-22T10:00:00.000Z'
    const place = read(route.camera('c1', { at, span: 3600 }))
    expect(place.query.get('at')).toBe(at)
    expect(place.query.get('span')).toBe('3600')
    expect(place.query.has('from')).toBe(false)
  })
  it('forgive slashes and refuse the unknown', () => {
    expect(read('/privacy/').page).toBe('privacy')
    for (const bad of ['nowhere', 'cameras', 'cameras/a/b/c', 'privacy/x']) expect(read(bad).page, bad).toBe('missing')
  })
})
