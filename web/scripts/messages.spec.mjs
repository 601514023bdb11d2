import { describe, expect, it } from 'vitest'
import { args, compile, parse } from './messages.mjs'

describe('parse', () => {
  it('reads text, arguments, plurals and selects', () => {
    expect(parse('Hello {name}')).toEqual(['Hello ', ['name']])
    expect(parse('{n, plural, one {# clip} other {# clips}}')).toEqual([['n', { one: [['n'], ' clip'], other: [['n'], ' clips'] }, 1]])
    expect(parse('{a, select, on {yes} other {no}}!')).toEqual([['a', { on: ['yes'], other: ['no'] }], '!'])
    expect(parse("it''s '{'raw'}' don't")).toEqual(["it's {raw} don't"])
  })
  it('refuses what is broken', () => {
    for (const bad of ['{', '{a, plural, one {x}}', 'a}', '{a, date}', '{a, select, other {x}']) expect(() => parse(bad), bad).toThrow()
  })
  it('knows the arguments', () => {
    expect(args(parse('{who} has {n, plural, one {# of {all}} other {#}}'))).toEqual({ who: 'string | number', n: 'number', all: 'string | number' })
  })
})

describe('compile', () => {
  it('fails on a missing key or argument', () => {
    expect(() => compile({ en: { 'a.b': 'x' }, 'zh-Hans': {} }, new Set())).toThrow('zh-Hans lacks a.b')
    expect(() => compile({ en: {}, 'zh-Hans': { 'a.b': 'x' } }, new Set())).toThrow('en lacks a.b')
    expect(() => compile({ en: { 'a.b': '{x}' }, 'zh-Hans': { 'a.b': '{y}' } }, new Set())).toThrow('other arguments')
  })
  it('bundles only what the app says itself', () => {
    const { modules } = compile({ en: { 'a.b': 'x', 'problem.c': 'y' } }, new Set(['a.b']))
    expect(modules.en).toContain('a.b')
    expect(modules.en).not.toContain('problem.c')
  })
})
