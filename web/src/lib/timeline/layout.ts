// The timeline as pure functions: time to pixels, ticks, snapping, edges. Nothing here draws or fetches.

export interface View {
  /** Left edge, ms. */
  from: number
  /** Width in time, ms. */
  span: number
}
export interface Range {
  from: number
  to: number
}
export interface Gap extends Range {
  reason: string
  sentence: string
}

const second = 1000
const minute = 60 * second
const hour = 60 * minute

/** The zoom levels with a name: 24 h, 6 h, 1 h, 10 min, 1 min. Pinch and wheel go anywhere between 24 h and 10 s. */
export const levels = [24 * hour, 6 * hour, hour, 10 * minute, minute] as const
export const widest = 24 * hour
export const narrowest = 10 * second

/** Distances of ticks: the labelled ones, and the small ones between. */
const steps: [major: number, minor: number][] = [
  [second, second / 5],
  [5 * second, second],
  [15 * second, 5 * second],
  [minute, 10 * second],
  [5 * minute, minute],
  [10 * minute, 2 * minute],
  [15 * minute, 5 * minute],
  [30 * minute, 5 * minute],
  [hour, 10 * minute],
  [2 * hour, 30 * minute],
  [4 * hour, hour],
  [6 * hour, hour],
  [12 * hour, 2 * hour],
]

export const toX = (t: number, view: View, width: number) => ((t - view.from) / view.span) * width
export const toTime = (x: number, view: View, width: number) => view.from + (x / width) * view.span

export const clamp = (x: number, low: number, high: number) => Math.min(Math.max(x, low), Math.max(low, high))

/** Labelled and small ticks, aligned to the wall clock of the zone (offset = zone − UTC, ms). */
export function ticks(view: View, width: number, offset = 0): { major: number[]; minor: number[]; step: number } {
  // A label with seconds is wider than one without.
  const fits = (major: number) => major >= (view.span / Math.max(1, width)) * (major < minute ? 62 : 56)
  const [step, small] = steps.find(([major]) => fits(major)) ?? steps.at(-1)!
  const series = (by: number) => {
    const out: number[] = []
    for (let t = Math.ceil((view.from + offset) / by) * by - offset; t <= view.from + view.span; t += by) out.push(t)
    return out
  }
  const major = series(step)
  const set = new Set(major)
  return { major, minor: series(small).filter((t) => !set.has(t)), step }
}

/** Zooms by a factor about one moment, which stays under the finger. */
export function zoom(view: View, factor: number, about: number): View {
  const span = clamp(view.span * factor, narrowest, widest)
  return { from: about - ((about - view.from) / view.span) * span, span }
}

/** The next named level in or out of a span. */
export function level(span: number, direction: 1 | -1): number {
  if (direction > 0) return levels.find((l) => l < span * 0.99) ?? span
  return [...levels].reverse().find((l) => l > span * 1.01) ?? span
}

export const centred = (at: number, span: number): View => ({ from: at - span / 2, span })

/** A view whose end is the present, with a little air for what comes. */
export const upTo = (now: number, span: number): View => ({ from: now - span * 0.88, span })

/** Keeps a view from running into a future where nothing can be. */
export function hold(view: View, now: number, at = now): View {
  const latest = Math.max(now, at) + view.span * 0.12
  return view.from + view.span > latest ? { ...view, from: latest - view.span } : view
}

/** Moves the view just enough to show a moment with some air around it. */
export function follow(view: View, at: number, air = 0.08): View {
  if (at < view.from + view.span * air) return { ...view, from: at - view.span * 0.3 }
  if (at > view.from + view.span * (1 - air)) return { ...view, from: at - view.span * 0.7 }
  return view
}

/** Speed of edge panning: how much of the span a second, for a pointer this near the edge. */
export function edgePan(x: number, width: number, edge = 32): number {
  if (x < edge) return -clamp((edge - x) / edge, 0, 1.5) * 0.9
  if (x > width - edge) return clamp((x - (width - edge)) / edge, 0, 1.5) * 0.9
  return 0
}

export const rangeAt = (t: number, ranges: Range[]) => ranges.find((r) => t >= r.from && t < r.to)

/** A moment near an event's start becomes that start, near a range's edge the edge, inside the footage. */
export function snap(t: number, ranges: Range[], view: View, width: number, reach = 6, starts: Range[] = []): number {
  const near = (view.span / width) * reach
  let best = t
  let distance = near
  for (const r of ranges) {
    for (const edge of [r.from, r.to - 1]) {
      const d = Math.abs(edge - t)
      if (d < distance) {
        best = edge
        distance = d
      }
    }
  }
  for (const s of starts) {
    const d = Math.abs(s.from - t)
    if (d < near && d <= distance) {
      best = s.from
      distance = d
    }
  }
  return best
}

/** Start of the next stretch of footage after t, or of the one before. */
export function neighbour(t: number, ranges: Range[], direction: 1 | -1): number | null {
  if (direction > 0) return ranges.find((r) => r.from > t + 500)?.from ?? null
  return [...ranges].reverse().find((r) => r.from < t - 1500)?.from ?? null
}

/** Joins ranges of several answers: sorted, overlapping and touching ones merged. */
export function merge(ranges: Range[], touch = 50): Range[] {
  const out: Range[] = []
  for (const r of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = out.at(-1)
    if (last && r.from <= last.to + touch) last.to = Math.max(last.to, r.to)
    else out.push({ from: r.from, to: r.to })
  }
  return out
}

/** How much footage a stretch of time holds, ms. */
export function covered(ranges: Range[], from: number, to: number): number {
  let sum = 0
  for (const r of ranges) sum += Math.max(0, Math.min(r.to, to) - Math.max(r.from, from))
  return sum
}

/** The piece of footage to open around a moment: cut at the range, on a grid so that scrubbing reuses it. */
export function windowAt(t: number, ranges: Range[], grid = 5 * minute): Range | null {
  const r = rangeAt(t, ranges)
  if (!r) return null
  const cell = Math.floor(t / grid) * grid
  const from = Math.max(cell, r.from)
  let to = Math.min(cell + grid, r.to)
  // A rest of a few seconds is not worth a window of its own.
  if (r.to - to < 5 * second) to = r.to
  return { from, to }
}
