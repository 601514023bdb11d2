import { describe, expect, it } from 'vitest'
import { Edge } from './edge'

/** Plays a join: n cached pictures one tick apart, each `decode` ms, then live ones of `interval` ms. */
function join(n: number, decode: number, interval: number) {
  const edge = new Edge()
  let wall = 0
  let shown = 0
  const live0 = 1_000_000
  for (let i = 0; i < n; i++) {
    wall += decode
    edge.presented(wall, live0 - (n - i), ++shown)
    if (edge.reached) return { lag: Infinity, backlog: true, at: wall }
  }
  for (let k = 1; k < 200; k++) {
    const arrives = k * interval
    wall = Math.max(wall + decode, arrives)
    if (edge.presented(wall, live0 + k * interval * 90, ++shown)) return { lag: wall - arrives, backlog: false, at: wall }
  }
  return { lag: Infinity, backlog: false, at: Infinity }
}

describe('edge', () => {
  it('is not seen inside the backlog', () => expect(join(125, 10, 40).backlog).toBe(false))
  it('is seen once the lag is gone', () => {
    const { lag, at } = join(125, 10, 40)
    expect(lag).toBeLessThan(80)
    expect(at).toBeLessThan(2200)
  })
  it('comes at once for a short backlog', () => expect(join(3, 4, 100).at).toBeLessThan(400))
})
