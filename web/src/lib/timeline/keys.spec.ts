import { describe, expect, it } from 'vitest'
import { meant, shortcuts } from './keys'

const press = (key: string, more: Partial<KeyboardEvent> & { inside?: string } = {}) =>
  ({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, defaultPrevented: false, target: { closest: (s: string) => (more.inside && s.includes(more.inside) ? {} : null) }, ...more }) as unknown as KeyboardEvent

describe('keys', () => {
  it('mean what the help says', () => {
    expect(meant(press('['), true)).toBe(shortcuts.cutFrom)
    expect(meant(press('ArrowLeft', { shiftKey: true }), true)).toBe(shortcuts.back30)
    expect(meant(press('G', { shiftKey: true }), true)).toBe(shortcuts.goTo)
  })
  it('leave typing and other controls alone', () => {
    expect(meant(press('g', { inside: 'input' }), true)).toBeNull()
    expect(meant(press(' ', { inside: 'button' }), true)).toBeNull()
    expect(meant(press('f', { ctrlKey: true }), true)).toBeNull()
  })
  it('can be switched off where they are single letters', () => {
    for (const s of Object.values(shortcuts)) {
      const key = s.keys[0]!.replace('Shift+', '')
      expect(meant(press(key, { shiftKey: s.keys[0]!.startsWith('Shift') }), false)).toBe(s.letter ? null : s)
    }
  })
  it('are each used once', () => {
    const all = Object.values(shortcuts).flatMap((s) => s.keys)
    expect(new Set(all).size).toBe(all.length)
  })
})
