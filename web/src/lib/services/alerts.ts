// Rules of messages as the pages show them: what was chosen, and its hours as words.

import type { AlertChoice, AlertHours, AlertSettings, Camera } from '../api'
import { t, words } from '../words/index.svelte'
import { dayName } from './shares'

export type AlertKind = AlertChoice['kind']

/** What a person chose for a camera. Nothing chosen: silent about motion, and gaps told in the app. */
export function choiceOf(settings: AlertSettings, camera: string, kind: AlertKind): AlertChoice {
  const r = settings.rules.find((r) => r.camera_id === camera && r.kind === kind)
  if (!r) return { kind, app: kind === 'gap', push: false, mail: false, pictures: false }
  return { kind, app: r.app, push: r.push, mail: r.mail, pictures: r.pictures, ...(r.hours?.length ? { hours: r.hours } : {}) }
}

/** What there is to be told of a camera: its owner hears of gaps, who may see events of motion. */
export const kindsOf = (c: Camera): AlertKind[] => (c.relation === 'owner' ? ['motion', 'gap'] : c.abilities.includes('alarms') ? ['motion'] : [])

/** Days that follow each other as a stretch: "Mon–Fri", "Mon, Wed". */
export function daysLine(days: number[]): string {
  const sorted = [...new Set(days)].sort((a, b) => a - b)
  const [first, last] = [sorted[0], sorted.at(-1)]
  if (first === undefined || last === undefined) return ''
  if (sorted.length === 7) return t('alerts.hours.daily')
  if (sorted.length > 2 && last - first === sorted.length - 1) return `${dayName(first)}–${dayName(last)}`
  return new Intl.ListFormat(words.lang, { type: 'unit' }).format(sorted.map(dayName))
}

/** "24:00" is what a field for a time calls "00:00". */
export const fieldTime = (time: string) => (time === '24:00' ? '00:00' : time)

export const stretchLine = (h: AlertHours) => `${daysLine(h.days ?? [])} ${h.from}–${h.to}`

export const alertHoursLine = (hours?: AlertHours[] | null) => (hours?.length ? hours.map(stretchLine).join(' · ') : t('share.hours.any'))

/** Whether a stretch ends on the day after it began. */
export const overnight = (h: AlertHours) => h.to !== '24:00' && h.to <= h.from

/** Whether the server would take a stretch. */
export const complete = (h: AlertHours) => !!h.days?.length && /^\d\d:\d\d$/.test(h.from) && /^\d\d:\d\d$/.test(h.to)
