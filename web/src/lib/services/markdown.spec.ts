import { describe, expect, it } from 'vitest'
import { blocks } from './markdown'

describe('policy text', () => {
  it('becomes headings, lists and paragraphs', () => {
    expect(blocks('# One\nfirst\nline\n\n- a **b**\n- c\n\nend').map((b) => b.kind)).toEqual(['heading', 'paragraph', 'list', 'paragraph'])
  })
  it('stays text: no markup of its own gets through', () => {
    const b = blocks('<img src=x onerror=alert(1)>')[0]!
    expect(b).toEqual({ kind: 'paragraph', parts: [{ text: '<img src=x onerror=alert(1)>', strong: false }] })
  })
})
