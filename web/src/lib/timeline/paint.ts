// Draws the two strips. Takes what is to be seen, keeps nothing.

import { covered, ticks, toX, type Gap, type Range, type View } from './layout'

export interface Palette {
  text: string
  muted: string
  hairline: string
  edge: string
  accent: string
  ok: string
  raised: string
  motion: string
  detection: string
  surface: string
  font: string
}

export interface Scene {
  view: View
  ranges: Range[]
  gaps: Gap[]
  marks: Marked[]
  now: number
  at: number
  live: boolean
  cut: { from: number | null; to: number | null }
  /** Where the pointer rests, px; null when it is away. */
  hover: number | null
  /** Difference of the zone to UTC, ms. */
  offset: number
  label: (ms: number, seconds: boolean) => string
}

/** An event as it is drawn. */
export interface Marked extends Range {
  /** 0 to 1. */
  strength: number
  seen: boolean
  kind: string
}

type Ctx = CanvasRenderingContext2D

export function palette(element: Element): Palette {
  const style = getComputedStyle(element)
  const token = (name: string) => style.getPropertyValue(`--${name}`).trim()
  return {
    text: token('text'),
    muted: token('muted'),
    hairline: token('hairline'),
    edge: token('edge'),
    accent: token('accent'),
    ok: token('ok'),
    raised: token('raised'),
    motion: token('motion'),
    detection: token('detection'),
    surface: token('surface'),
    font: style.fontFamily,
  }
}

/** Sizes a canvas for its box and the screen's density; returns the box in CSS pixels. */
export function fit(canvas: HTMLCanvasElement): { ctx: Ctx; width: number; height: number } {
  const width = canvas.clientWidth
  const height = canvas.clientHeight
  const density = Math.min(3, devicePixelRatio || 1)
  const w = Math.round(width * density)
  const h = Math.round(height * density)
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w
    canvas.height = h
  }
  const ctx = canvas.getContext('2d')!
  ctx.setTransform(density, 0, 0, density, 0, 0)
  ctx.clearRect(0, 0, width, height)
  return { ctx, width, height }
}

const top = 24

export function paintDetail(canvas: HTMLCanvasElement, scene: Scene, p: Palette) {
  const { ctx, width, height } = fit(canvas)
  const { view } = scene
  const x = (t: number) => toX(t, view, width)
  const floor = height - 8
  ctx.font = `12px ${p.font}`
  ctx.textBaseline = 'middle'

  // What cannot be yet.
  const today = x(scene.now)
  if (today < width) {
    ctx.fillStyle = p.raised
    ctx.globalAlpha = 0.6
    ctx.fillRect(Math.max(0, today), top, width - Math.max(0, today), floor - top)
    ctx.globalAlpha = 1
  }

  for (const gap of scene.gaps) paintGap(ctx, gap, x, width, floor, p)

  for (const r of scene.ranges) {
    const a = x(r.from)
    const b = x(r.to)
    if (b < 0 || a > width) continue
    const left = Math.max(-4, a)
    const w = Math.max(1.5, Math.min(width + 4, b) - left)
    ctx.fillStyle = p.accent
    ctx.globalAlpha = 0.16
    roundRect(ctx, left, top, w, floor - top - 6, Math.min(4, w / 2))
    ctx.globalAlpha = 1
    ctx.fillStyle = p.ok
    roundRect(ctx, left, floor - 4, w, 4, Math.min(2, w / 2))
  }

  const { major, minor, step } = ticks(view, width, scene.offset)
  ctx.fillStyle = p.hairline
  for (const t of minor) ctx.fillRect(Math.round(x(t)), top - 4, 1, 4)
  ctx.fillStyle = p.edge
  for (const t of major) {
    const at = Math.round(x(t))
    ctx.globalAlpha = 0.45
    ctx.fillRect(at, top - 7, 1, floor - top + 3)
    ctx.globalAlpha = 1
  }
  ctx.fillStyle = p.muted
  for (const t of major) {
    const text = scene.label(t, step < 60_000)
    const w = ctx.measureText(text).width
    const at = Math.round(x(t))
    if (at - w / 2 < 2 || at + w / 2 > width - 2) continue
    ctx.fillText(text, at - w / 2, 9)
  }

  for (const mark of scene.marks) paintMark(ctx, mark, x, width, floor, p)

  paintCut(ctx, scene, x, top, floor, p)
  if (scene.hover !== null) {
    ctx.fillStyle = p.text
    ctx.globalAlpha = 0.35
    ctx.fillRect(Math.round(scene.hover), top - 4, 1, floor - top + 4)
    ctx.globalAlpha = 1
  }
  paintHead(ctx, x(scene.at), width, height, p)
}

function paintGap(ctx: Ctx, gap: Gap, x: (t: number) => number, width: number, floor: number, p: Palette) {
  const a = Math.max(0, x(gap.from))
  const b = Math.min(width, x(gap.to))
  if (b - a < 3) return
  ctx.save()
  ctx.beginPath()
  ctx.rect(a, top, b - a, floor - top)
  ctx.clip()
  ctx.strokeStyle = p.hairline
  ctx.lineWidth = 1
  ctx.beginPath()
  // Hatching fixed to the time, so that it moves with the strip.
  const phase = x(gap.from) % 9
  for (let i = a - (floor - top) - 9 + phase; i < b; i += 9) {
    ctx.moveTo(i, floor)
    ctx.lineTo(i + (floor - top), top)
  }
  ctx.stroke()
  ctx.restore()
  const room = b - a - 20
  if (room < 56) return
  const text = shorten(ctx, gap.sentence, room)
  if (!text) return
  const w = ctx.measureText(text).width
  const middle = (a + b) / 2
  const y = (top + floor) / 2
  ctx.fillStyle = p.surface
  roundRect(ctx, middle - w / 2 - 8, y - 11, w + 16, 22, 11)
  ctx.fillStyle = p.muted
  ctx.fillText(text, middle - w / 2, y + 0.5)
}

/** Motion is mirrored bars of 2 px, anything else an outlined block of 12 px: they differ by height and shape. */
function paintMark(ctx: Ctx, mark: Marked, x: (t: number) => number, width: number, floor: number, p: Palette) {
  const a = x(mark.from)
  const b = Math.max(x(mark.to), a + 2)
  if (b < 0 || a > width) return
  const middle = floor - 17
  ctx.globalAlpha = mark.seen ? 0.5 : 1
  if (mark.kind === 'motion') {
    const tall = Math.max(4, Math.round(16 * mark.strength))
    ctx.fillStyle = p.motion
    // Fixed to the event's own start, so that the bars move with the strip.
    for (let i = 0; a + i * 4 < Math.min(b, width); i++) {
      const at = a + i * 4
      if (at < -2) continue
      const h = Math.max(3, tall - (i % 3 === 1 ? tall * 0.45 : i % 3 === 2 ? tall * 0.2 : 0))
      ctx.fillRect(at, middle - h / 2, 2, h)
    }
  } else {
    ctx.strokeStyle = p.detection
    ctx.lineWidth = 1.5
    ctx.beginPath()
    ctx.roundRect(a + 0.75, middle - 6, Math.max(4, b - a - 1.5), 12, 3)
    ctx.stroke()
  }
  ctx.globalAlpha = 1
}

function paintCut(ctx: Ctx, scene: Scene, x: (t: number) => number, from: number, to: number, p: Palette) {
  const { cut } = scene
  if (cut.from === null && cut.to === null) return
  if (cut.from !== null && cut.to !== null) {
    ctx.fillStyle = p.accent
    ctx.globalAlpha = 0.3
    ctx.fillRect(x(cut.from), from, x(cut.to) - x(cut.from), to - from)
    ctx.globalAlpha = 1
  }
  ctx.strokeStyle = p.accent
  ctx.lineWidth = 3
  ctx.lineJoin = 'round'
  for (const [t, open] of [
    [cut.from, 1],
    [cut.to, -1],
  ] as const) {
    if (t === null) continue
    const at = x(t)
    ctx.beginPath()
    ctx.moveTo(at + 8 * open, from + 1.5)
    ctx.lineTo(at, from + 1.5)
    ctx.lineTo(at, to - 1.5)
    ctx.lineTo(at + 8 * open, to - 1.5)
    ctx.stroke()
  }
}

function paintHead(ctx: Ctx, at: number, width: number, height: number, p: Palette) {
  if (at < -6 || at > width + 6) return
  const x = Math.round(at)
  ctx.fillStyle = p.surface
  ctx.fillRect(x - 2, top - 6, 5, height - top + 6)
  ctx.fillStyle = p.accent
  ctx.fillRect(x - 1, top - 6, 3, height - top + 6)
  ctx.beginPath()
  ctx.moveTo(x + 0.5, top + 5)
  ctx.lineTo(x - 6.5, top - 3)
  ctx.lineTo(x - 6.5, top - 9)
  ctx.arcTo(x - 6.5, top - 12, x - 3.5, top - 12, 3)
  ctx.lineTo(x + 4.5, top - 12)
  ctx.arcTo(x + 7.5, top - 12, x + 7.5, top - 9, 3)
  ctx.lineTo(x + 7.5, top - 3)
  ctx.closePath()
  ctx.fill()
  ctx.strokeStyle = p.surface
  ctx.lineWidth = 1.5
  ctx.stroke()
}

/** The whole day: where there is footage, and which part the detail shows. */
export function paintOverview(canvas: HTMLCanvasElement, day: Range, scene: Scene, p: Palette) {
  const { ctx, width, height } = fit(canvas)
  const span = day.to - day.from
  const x = (t: number) => ((t - day.from) / span) * width
  ctx.fillStyle = p.raised
  roundRect(ctx, 0, 4, width, height - 8, 6)
  // By the pixel, so that many short pieces read as density and not as noise.
  ctx.fillStyle = p.ok
  const cell = span / width
  for (let i = 0; i < width; i++) {
    const share = covered(scene.ranges, day.from + i * cell, day.from + (i + 1) * cell) / cell
    if (share <= 0) continue
    ctx.globalAlpha = 0.35 + 0.5 * Math.min(1, share)
    ctx.fillRect(i, 9, 1, height - 18)
  }
  ctx.globalAlpha = 1
  ctx.fillStyle = p.motion
  for (const m of scene.marks) {
    const at = Math.round(x(m.from))
    if (at < 0 || at > width) continue
    ctx.globalAlpha = m.seen ? 0.5 : 1
    ctx.fillRect(at, 5, 2, 5)
  }
  ctx.globalAlpha = 1
  const a = x(scene.view.from)
  const w = Math.max(12, (scene.view.span / span) * width)
  const left = w === 12 ? x(scene.view.from + scene.view.span / 2) - 6 : a
  ctx.fillStyle = p.accent
  ctx.globalAlpha = 0.16
  roundRect(ctx, left, 2, w, height - 4, 6)
  ctx.globalAlpha = 1
  ctx.strokeStyle = p.accent
  ctx.lineWidth = 1.5
  ctx.beginPath()
  ctx.roundRect(left + 0.75, 2.75, w - 1.5, height - 5.5, 6)
  ctx.stroke()
  ctx.fillStyle = p.accent
  ctx.fillRect(Math.round(x(scene.at)) - 1, 2, 2, height - 4)
}

function roundRect(ctx: Ctx, x: number, y: number, w: number, h: number, r: number) {
  ctx.beginPath()
  ctx.roundRect(x, y, w, h, r)
  ctx.fill()
}

function shorten(ctx: Ctx, text: string, room: number): string {
  if (ctx.measureText(text).width <= room) return text
  let low = 0
  let high = text.length
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (ctx.measureText(`${text.slice(0, middle)}…`).width <= room) low = middle
    else high = middle - 1
  }
  return low < 4 ? '' : `${text.slice(0, low)}…`
}
