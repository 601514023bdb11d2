import { describe, expect, it } from 'vitest'
import { parse } from '../../../scripts/messages.mjs'
import { format, type Message } from './icu'

const say = (source: string, args: Record<string, string | number>, lang = 'en') => format(parse(source) as Message, args, lang)

describe('format', () => {
  it('fills arguments', () => expect(say('Hello {name}', { name: 'Li' })).toBe('Hello Li'))
  it('counts by the language', () => {
    const s = '{n, plural, =0 {none} one {# camera} other {# cameras}}'
    expect([0, 1, 2, 1200].map((n) => say(s, { n }))).toEqual(['none', '1 camera', '2 cameras', '1,200 cameras'])
    expect(say('{n, plural, other {# 台}}', { n: 1 }, 'zh-Hans')).toBe('1 台')
  })
  it('selects, with other as the fallback', () => {
    const s = '{x, select, on {Recording} other {Not recording}}'
    expect(say(s, { x: 'on' })).toBe('Recording')
    expect(say(s, { x: 'whatever' })).toBe('Not recording')
  })
})
