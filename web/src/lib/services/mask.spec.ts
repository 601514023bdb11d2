import { describe, expect, it } from 'vitest'
import { columns, isOut, none, rows, turn } from './mask'

describe('the mask', () => {
  it('puts the first cell into the highest bit', () => {
    expect(turn(none, 0, true)).toBe(`8${'0'.repeat(35)}`)
    expect(turn(none, columns * rows - 1, true)).toBe(`${'0'.repeat(35)}1`)
  })
  it('turns one cell and no other, and back', () => {
    for (const cell of [0, 1, 15, 16, 77, 143]) {
      const mask = turn(none, cell, true)
      for (let i = 0; i < columns * rows; i++) expect(isOut(mask, i)).toBe(i === cell)
      expect(turn(mask, cell, false)).toBe(none)
      expect(mask).toHaveLength(36)
    }
  })
})
