import { describe, expect, it } from 'vitest'
import { bytes, clock, dayOf, instant, length, parts, roughly, typedTime } from './time'

const zone = 'Asia/Shanghai'
const now = Date.UTC(2026, 10, 22, 8, 0, 0) // 16:00 in Shanghai
const at = (y: number, mo: number, d: number, h: number, mi = 0, s = 0) => instant({ year: y, month: mo, day: d, hour: h, minute: mi, second: s }, zone)

describe('typed time', () => {
  const cases: [string, number | null][] = [
    ['15:10', at(2026, 11, 22, 15, 10)],
    ['15:10:05', at(2026, 11, 22, 15, 10, 5)],
    ['151005', at(2026, 11, 22, 15, 10, 5)],
    ['3:10 pm', at(2026, 11, 22, 15, 10)],
    ['12:05 am', at(2026, 11, 22, 0, 5)],
    ['下午3:10', at(2026, 11, 22, 15, 10)],
    ['15点10分', at(2026, 11, 22, 15, 10)],
    ['8', at(2026, 11, 22, 8)],
    ['yesterday 15:10', at(2026, 11, 21, 15, 10)],
    ['昨天 15：10', at(2026, 11, 21, 15, 10)],
    ['2026-11-20 08:00:30', at(2026, 11, 20, 8, 0, 30)],
    ['11月20日 8:00', at(2026, 11, 20, 8)],
    ['2026-11-20', at(2026, 11, 20, 0)],
    ['', null],
    ['25:00', null],
    ['12:75', null],
    ['soon', null],
    ['2026-13-01 10:00', null],
  ]
  for (const [text, want] of cases) it(`reads "${text}"`, () => expect(typedTime(text, now, zone)).toBe(want))
  it('keeps to the day being looked at', () => {
    expect(typedTime('09:00', now, zone, at(2026, 11, 19, 23))).toBe(at(2026, 11, 19, 9))
  })
})

describe('days', () => {
  it('begin at midnight of the site, also across a clock change', () => {
    const d = dayOf(Date.UTC(2026, 2, 29, 12), 'Europe/Berlin')
    expect(d.to - d.from).toBe(23 * 3_600_000)
    expect(parts(d.from, 'Europe/Berlin')).toMatchObject({ day: 29, hour: 0 })
  })
})

describe('words', () => {
  it('are short', () => {
    expect(length(42_000)).toBe('0:42')
    expect(length(3_723_000)).toBe('1:02:03')
    expect(clock(now, 'en', zone)).toBe('16:00:00')
    expect(roughly(14 * 60_000, 'en')).toBe('14 min')
    expect(bytes(1_234_000_000, 'en')).toBe('1.2 GB')
  })
})
