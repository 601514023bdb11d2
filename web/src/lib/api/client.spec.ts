import { describe, expect, it } from 'vitest'
import { firstSentence, handleError, parseProblem } from './client'

describe('problems', () => {
  it('carry code, sentence and fields', () => {
    const p = parseProblem(422, {
      code: 'email.invalid',
      title: 'This is not an e-mail address.',
      errors: [{ pointer: '/email', code: 'email.invalid', detail: 'Write it like name@example.org.' }],
    })
    expect(p.code).toBe('email.invalid')
    expect(p.at('email')).toBe('Write it like name@example.org.')
    expect(p.at('name')).toBeUndefined()
  })
  it('tell first what was seen, then what to try', () => {
    expect(firstSentence('Nothing was found at 192.168.1.20. Check the address.')).toEqual(['Nothing was found at 192.168.1.20.', 'Check the address.'])
    expect(firstSentence('在 192.168.1.20 没有找到设备。请检查地址。')).toEqual(['在 192.168.1.20 没有找到设备。', '请检查地址。'])
    expect(firstSentence('One')).toEqual(['One', ''])
    const p = parseProblem(403, { title: 'Not allowed', detail: 'That is not the set-up code. Copy it.' })
    expect([p.title, p.detail]).toEqual(['That is not the set-up code.', 'Copy it.'])
  })
  it('survive an answer that is no problem document', () => {
    for (const body of [undefined, null, 'x', 3, { errors: null }]) expect(parseProblem(502, body).status).toBe(502)
    expect(parseProblem(401, undefined).code).toBe('session.none')
    expect(parseProblem(422, { errors: [{ location: 'body.name', message: 'too long' }] }).at('name')).toBe('too long')
  })
  it('never show the inside of an unexpected error', () => {
    const p = handleError(new TypeError('secret internals'))
    expect(p.title + p.detail).not.toContain('secret')
  })
})
