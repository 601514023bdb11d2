import { keep, recall } from './memory'

/** Choices that belong to this browser, not to the account. */
class Preferences {
  /** Single-letter shortcuts (WCAG 2.1.4 asks for a switch). */
  keys = $state(recall('keys') !== 'off')
  sound = $state(recall('sound') === 'on')
  quality = $state<'auto' | 'main' | 'sub'>((['main', 'sub'] as const).find((q) => q === recall('quality')) ?? 'auto')

  setKeys(on: boolean) {
    this.keys = on
    keep('keys', on ? 'on' : 'off')
  }
  setSound(on: boolean) {
    this.sound = on
    keep('sound', on ? 'on' : 'off')
  }
  setQuality(quality: 'auto' | 'main' | 'sub') {
    this.quality = quality
    keep('quality', quality)
  }
}

export const preferences = new Preferences()
