import { describe, expect, it } from 'vitest'
import { slackOf } from './mse'

describe('slack', () => {
  it('is a few pictures, more for pictures out of order, never endless', () => {
    expect(slackOf(25, 0)).toBe(0.25)
    expect(slackOf(10, 0)).toBeCloseTo(0.45)
    expect(slackOf(10, 0.5)).toBeCloseTo(0.95)
    expect(slackOf(2, 0.5)).toBe(1.2)
    expect(slackOf(0, 0)).toBeCloseTo(0.3)
  })
})
