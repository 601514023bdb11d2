import type { CameraPage } from '../managers/camera-page.svelte'

/** What a key does on the camera page. One table, shared by the handler and the help. */
export interface Shortcut {
  keys: string[]
  /** A single letter or sign: can be switched off (WCAG 2.1.4). */
  letter: boolean
  run: (page: CameraPage, more: Extra) => void
}
export interface Extra {
  fps: number
  goTo: () => void
  help: () => void
  fullscreen: () => void
  sound: () => void
  snapshot: () => void
}

const frame = (page: CameraPage, direction: 1 | -1, fps: number) => {
  if (page.mode === 'live') return
  page.footage.step(direction / Math.max(1, fps))
}

export const shortcuts: Record<string, Shortcut> = {
  back5: { keys: ['ArrowLeft'], letter: false, run: (p) => p.nudge(-5000) },
  forward5: { keys: ['ArrowRight'], letter: false, run: (p) => p.nudge(5000) },
  back30: { keys: ['Shift+ArrowLeft'], letter: false, run: (p) => p.nudge(-30_000) },
  forward30: { keys: ['Shift+ArrowRight'], letter: false, run: (p) => p.nudge(30_000) },
  zoomIn: { keys: ['+', '='], letter: true, run: (p) => p.zoomStep(1) },
  zoomOut: { keys: ['-'], letter: true, run: (p) => p.zoomStep(-1) },
  frameBack: { keys: [','], letter: true, run: (p, m) => frame(p, -1, m.fps) },
  frameForward: { keys: ['.'], letter: true, run: (p, m) => frame(p, 1, m.fps) },
  play: { keys: ['k', ' '], letter: true, run: (p) => (p.mode === 'live' ? p.nudge(-10_000) : p.footage.toggle()) },
  back10: { keys: ['j'], letter: true, run: (p) => p.nudge(-10_000) },
  forward10: { keys: ['l'], letter: true, run: (p) => p.nudge(10_000) },
  next: { keys: ['n'], letter: true, run: (p) => void p.jump(1) },
  previous: { keys: ['p'], letter: true, run: (p) => void p.jump(-1) },
  cutFrom: { keys: ['['], letter: true, run: (p) => p.mark('from') },
  cutTo: { keys: [']'], letter: true, run: (p) => p.mark('to') },
  goTo: { keys: ['g'], letter: true, run: (_, m) => m.goTo() },
  live: { keys: ['End'], letter: false, run: (p) => p.goLive() },
  sound: { keys: ['m'], letter: true, run: (_, m) => m.sound() },
  fullscreen: { keys: ['f'], letter: true, run: (_, m) => m.fullscreen() },
  help: { keys: ['?'], letter: true, run: (_, m) => m.help() },
}

/** The shortcut a key press means, or null: typing and foreign controls keep their keys. */
export function meant(e: KeyboardEvent, letters: boolean): Shortcut | null {
  if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented) return null
  const target = e.target as HTMLElement | null
  if (target?.closest('input, textarea, select, [contenteditable], [role=dialog], [role=menu]')) return null
  if (e.key === ' ' && target?.closest('button, a, summary')) return null
  const name = e.shiftKey && e.key.length > 1 ? `Shift+${e.key}` : e.key.length === 1 ? e.key.toLowerCase() : e.key
  for (const s of Object.values(shortcuts)) if (s.keys.includes(name) && (letters || !s.letter)) return s
  return null
}
