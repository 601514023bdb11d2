import { describe, expect, it } from 'vitest'
import { centred, covered, edgePan, follow, hold, level, levels, merge, neighbour, snap, ticks, toTime, toX, windowAt, zoom } from './layout'

const hour = 3_600_000
const day0 = Date.UTC(2026, 10, 22)

describe('time and pixels', () => {
  it('are each other’s inverse', () => {
    const view = { from: day0, span: hour }
    for (const x of [0, 123, 800]) expect(toX(toTime(x, view, 800), view, 800)).toBeCloseTo(x)
  })
  it('zoom keeps the moment under the finger', () => {
    const view = { from: day0, span: hour }
    const z = zoom(view, 0.5, day0 + hour / 4)
    expect(toX(day0 + hour / 4, z, 800)).toBeCloseTo(200)
    expect(z.span).toBe(hour / 2)
  })
  it('zoom stops at 24 h and 10 s', () => {
    expect(zoom({ from: 0, span: hour }, 1e6, 0).span).toBe(24 * hour)
    expect(zoom({ from: 0, span: hour }, 1e-9, 0).span).toBe(10_000)
  })
  it('levels step one by one', () => {
    let span: number = levels[0]
    const seen = [span]
    for (let i = 0; i < 6; i++) seen.push((span = level(span, 1)))
    expect(seen.slice(0, 5)).toEqual([...levels])
    expect(level(levels[0], -1)).toBe(levels[0])
    expect(level(2 * hour, -1)).toBe(6 * hour)
  })
})

describe('ticks', () => {
  it('are far enough apart to read at every width and level', () => {
    for (const width of [340, 720, 1200]) {
      for (const span of levels) {
        const { major, step } = ticks({ from: day0, span }, width)
        expect((step / span) * width).toBeGreaterThanOrEqual(50)
        expect(major.length).toBeGreaterThan(1)
      }
    }
  })
  it('are those of the design at a desk: 2 h, 30 min, 5 min, 1 min, 5 s', () => {
    expect(levels.map((span) => ticks({ from: day0, span }, 755).step / 1000)).toEqual([7200, 1800, 300, 60, 5])
  })
  it('stand on the wall clock of the zone', () => {
    const offset = 5.5 * hour // India
    const { major, step } = ticks({ from: day0, span: 24 * hour }, 1000, offset)
    expect(step).toBe(2 * hour)
    for (const t of major) expect((t + offset) % (2 * hour)).toBe(0)
  })
})

describe('moving', () => {
  it('follows a playhead near the edge, and only there', () => {
    const view = { from: 0, span: 1000 }
    expect(follow(view, 500)).toBe(view)
    expect(follow(view, 990).from).toBeGreaterThan(0)
    expect(follow(view, 10).from).toBeLessThan(0)
  })
  it('does not run into the future', () => {
    expect(hold(centred(day0, hour), day0).from + hour).toBeLessThanOrEqual(day0 + hour * 0.13)
  })
  it('pans at the edges, faster further out', () => {
    expect(edgePan(400, 800)).toBe(0)
    expect(edgePan(16, 800)).toBeLessThan(0)
    expect(edgePan(799, 800)).toBeGreaterThan(edgePan(780, 800))
  })
})

describe('footage', () => {
  const ranges = [
    { from: day0, to: day0 + hour },
    { from: day0 + 2 * hour, to: day0 + 3 * hour },
  ]
  it('merges what touches', () => {
    expect(merge([{ from: 10, to: 20 }, { from: 0, to: 10 }, { from: 500, to: 600 }])).toEqual([{ from: 0, to: 20 }, { from: 500, to: 600 }])
  })
  it('snaps to an edge within reach', () => {
    const view = { from: day0, span: 4 * hour }
    expect(snap(day0 + 2 * hour - 60_000, ranges, view, 1000)).toBe(day0 + 2 * hour)
    expect(snap(day0 + 1.5 * hour, ranges, view, 1000)).toBe(day0 + 1.5 * hour)
  })
  it('finds the neighbours', () => {
    expect(neighbour(day0 + 1, ranges, 1)).toBe(day0 + 2 * hour)
    expect(neighbour(day0 + 2.5 * hour, ranges, -1)).toBe(day0 + 2 * hour)
    expect(neighbour(day0 + 2.5 * hour, ranges, 1)).toBeNull()
  })
  it('opens windows that never cross a gap', () => {
    const w = windowAt(day0 + hour - 1000, ranges)!
    expect(w.to).toBe(day0 + hour)
    expect(w.from).toBe(day0 + hour - 300_000)
    expect(windowAt(day0 + 1.5 * hour, ranges)).toBeNull()
  })
  it('measures', () => expect(covered(ranges, day0 + hour / 2, day0 + 2.5 * hour)).toBe(hour))
})
