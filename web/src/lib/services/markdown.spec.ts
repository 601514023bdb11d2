import { describe, expect, it } from 'vitest'
import { blocks } from './markdown'

describe('policy text', () => {
  it('becomes headings, lists and paragraphs', () => {
    expect(blocks('# One\nfirst\nline\n\n- a **b**\n- c\n\nend').map((b) => b.kind)).toEqual(['heading', 'paragraph', 'list', 'paragraph'])
  })
  it('has tables', () => {
    const b = blocks('| A | B |\n|---|---|\n| one **two** | three |\n| | 4 |')
    expect(b).toHaveLength(1)
    const t = b[0]!
    if (t.kind !== 'table') throw new Error(t.kind)
    expect(t.head.map((c) => c[0]!.text)).toEqual(['A', 'B'])
    expect(t.rows[0]![0]!.map((p) => p.strong)).toEqual([false, true])
    expect(t.rows[1]!.map((c) => c.length)).toEqual([0, 1])
    expect(blocks('| no table |')[0]!.kind).toBe('paragraph')
  })
  it('stays text: no markup of its own gets through', () => {
    const b = blocks('<img src=x onerror=alert(1)>')[0]!
    expect(b).toEqual({ kind: 'paragraph', parts: [{ text: '<img src=x onerror=alert(1)>', strong: false }] })
  })
})
