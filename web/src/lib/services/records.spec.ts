import { describe, expect, it } from 'vitest'
import type { Held } from '../api'
import { inventory } from './records'

const held = (category: string, count: number, bytes: number): Held => ({ category, kind: '', count, bytes, until: '', purpose: '', basis: '', room: '' })

describe('inventory', () => {
  it('adds up by category, footage first, the unknown last and never hidden', () => {
    const groups = inventory([held('odd', 1, 1), held('identity', 1, 10), held('footage', 2, 30), held('identity', 2, 5)])
    expect(groups.map((g) => [g.category, g.count, g.bytes])).toEqual([
      ['footage', 2, 30],
      ['identity', 3, 15],
      ['odd', 1, 1],
    ])
  })
})
