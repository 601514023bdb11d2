// Times as people read them, in the zone of the site. One place, so that every clock in the app agrees.

type Lang = string
const cache = new Map<string, Intl.DateTimeFormat>()

function formatter(lang: Lang, zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = lang + zone + JSON.stringify(options)
  let f = cache.get(key)
  if (!f) {
    f = new Intl.DateTimeFormat(lang === 'en' ? 'en-GB' : lang, { timeZone: zone, hourCycle: 'h23', ...options })
    cache.set(key, f)
  }
  return f
}

export const clock = (ms: number, lang: Lang, zone: string, seconds = true) =>
  formatter(lang, zone, { hour: '2-digit', minute: '2-digit', ...(seconds ? { second: '2-digit' } : {}) }).format(ms)

export const date = (ms: number, lang: Lang, zone: string) => formatter(lang, zone, { weekday: 'short', day: 'numeric', month: 'short' }).format(ms)

export const fullDate = (ms: number, lang: Lang, zone: string) =>
  formatter(lang, zone, { day: 'numeric', month: 'long', year: 'numeric' }).format(ms)

export const stamp = (ms: number, lang: Lang, zone: string) => `${date(ms, lang, zone)}${lang.startsWith('zh') ? ' ' : ', '}${clock(ms, lang, zone)}`

interface Parts {
  year: number
  month: number
  day: number
  hour: number
  minute: number
  second: number
}

export function parts(ms: number, zone: string): Parts {
  const out: Record<string, number> = {}
  for (const p of formatter('en', zone, { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' }).formatToParts(ms))
    if (p.type !== 'literal') out[p.type] = Number(p.value)
  return out as unknown as Parts
}

/** The instant of a wall-clock time in a zone. A time that a clock change skips lands just after it. */
export function instant(p: Parts, zone: string): number {
  const wanted = Date.UTC(p.year, p.month - 1, p.day, p.hour, p.minute, p.second)
  let guess = wanted
  for (let i = 0; i < 3; i++) {
    const q = parts(guess, zone)
    const seen = Date.UTC(q.year, q.month - 1, q.day, q.hour, q.minute, q.second)
    if (seen === wanted) break
    guess += wanted - seen
  }
  return guess
}

/** Midnight that begins the day of ms in the zone, and the one that ends it. */
export function dayOf(ms: number, zone: string): { from: number; to: number } {
  const p = parts(ms, zone)
  const midnight = { ...p, hour: 0, minute: 0, second: 0 }
  return { from: instant(midnight, zone), to: instant({ ...midnight, day: p.day + 1 }, zone) }
}

export function dayKey(ms: number, zone: string): string {
  const p = parts(ms, zone)
  return `${p.year}-${String(p.month).padStart(2, '0')}-${String(p.day).padStart(2, '0')}`
}

/** "15:10", "3:10 pm", "151005", "yesterday 15:10", "昨天 15:10", "2026-11-20 08:00:30", "11-20 8:00". Null when it is none of these. */
export function typedTime(text: string, now: number, zone: string, near = now): number | null {
  let s = text.trim().toLowerCase().replaceAll('：', ':').replaceAll('／', '/').replace(/[点时]/g, ':').replace(/分/g, ':').replace(/秒/g, '')
  if (s === '') return null
  let day = parts(near, zone)
  const shift = (days: number) => {
    day = parts(instant({ ...parts(now, zone), hour: 12, minute: 0, second: 0 }, zone) - days * 86_400_000, zone)
  }
  const named: [RegExp, number][] = [
    [/^(today|今天)\s*/, 0],
    [/^(yesterday|昨天)\s*/, 1],
    [/^(前天)\s*/, 2],
  ]
  for (const [pattern, days] of named) {
    if (pattern.test(s)) {
      shift(days)
      s = s.replace(pattern, '')
    }
  }
  const dated = /^(?:(\d{4})[-/.年])?(\d{1,2})[-/.月](\d{1,2})日?(?:[t\s]+|$)/.exec(s)
  if (dated) {
    day = { ...day, year: dated[1] ? Number(dated[1]) : parts(now, zone).year, month: Number(dated[2]), day: Number(dated[3]) }
    if (day.month < 1 || day.month > 12 || day.day < 1 || day.day > 31) return null
    s = s.slice(dated[0].length)
  }
  let afternoon: boolean | null = null
  const half = /\s*(am|pm)$|^(上午|早上|下午|晚上)\s*/.exec(s)
  if (half) {
    afternoon = /pm|下午|晚上/.test(half[0])
    s = s.replace(half[0], '')
  }
  s = s.trim().replace(/:$/, '')
  let hour = 0
  let minute = 0
  let second = 0
  if (s !== '') {
    const found = /^(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?$/.exec(s) ?? /^(\d{2})(\d{2})(\d{2})?$/.exec(s) ?? /^(\d{1,2})$/.exec(s)
    if (!found) return null
    hour = Number(found[1])
    minute = Number(found[2] ?? 0)
    second = Number(found[3] ?? 0)
  } else if (!dated && day === parts(near, zone) && !half) return null
  if (afternoon !== null && hour <= 12) hour = (hour % 12) + (afternoon ? 12 : 0)
  if (hour > 23 || minute > 59 || second > 59) return null
  return instant({ ...day, hour, minute, second }, zone)
}

/** 0:42, 12:05, 1:02:03 */
export function length(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000))
  const two = (n: number) => String(n).padStart(2, '0')
  return s >= 3600 ? `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`
}

/** "14 min", "3 h", "2 days": how long, roughly, by the language's own words. */
export function roughly(ms: number, lang: Lang): string {
  const s = Math.max(0, Math.round(ms / 1000))
  const [value, unit] = s < 60 ? [s, 'second'] : s < 5400 ? [Math.round(s / 60), 'minute'] : s < 129_600 ? [Math.round(s / 3600), 'hour'] : [Math.round(s / 86_400), 'day']
  return new Intl.NumberFormat(lang, { style: 'unit', unit: unit as string, unitDisplay: unit === 'day' ? 'long' : 'short' }).format(value as number)
}

export function bytes(n: number, lang: Lang): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte']
  let i = 0
  while (n >= 1000 && i < units.length - 1) {
    n /= 1000
    i++
  }
  return new Intl.NumberFormat(lang, { style: 'unit', unit: units[i]!, unitDisplay: i === 0 ? 'long' : 'short', maximumFractionDigits: n < 10 && i > 1 ? 1 : 0 }).format(n)
}
