import { keep, recall } from './memory'

export type Theme = 'system' | 'light' | 'dark'
export const isTheme = (x: unknown): x is Theme => x === 'system' || x === 'light' || x === 'dark'

/** Light, dark, or as the system says. public/theme.js does the same before the first paint. */
class ThemeManager {
  choice = $state<Theme>('system')
  dark = $state(false)
  #system = typeof matchMedia === 'undefined' ? null : matchMedia('(prefers-color-scheme: dark)')

  start() {
    const kept = recall('theme')
    this.choice = isTheme(kept) ? kept : 'system'
    this.#system?.addEventListener('change', () => this.#apply())
    this.#apply()
  }

  set(choice: Theme) {
    this.choice = choice
    keep('theme', choice)
    this.#apply()
  }

  #apply() {
    this.dark = this.choice === 'dark' || (this.choice === 'system' && !!this.#system?.matches)
    document.documentElement.dataset.theme = this.dark ? 'dark' : 'light'
    document.querySelector('meta[name=theme-color]')?.setAttribute('content', this.dark ? '#0B0D10' : '#F6F7F9')
  }
}

export const theme = new ThemeManager()
