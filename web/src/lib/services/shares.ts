// Shares as words: abilities, hours, ends.

import type { NewInvite, Share, Terms } from '../api'
import { clock, date } from '../time'
import { t, words } from '../words/index.svelte'

const abilities: Record<string, () => string> = {
  live: () => t('share.can.live'),
  playback: () => t('share.can.playback'),
  talk: () => t('share.can.talk'),
  alarms: () => t('share.can.alarms'),
  export: () => t('share.can.export'),
}
export const abilityName = (code: string) => abilities[code]?.() ?? code
export const canLine = (codes: string[]) => new Intl.ListFormat(words.lang, { type: 'unit' }).format(codes.map(abilityName))

const minute = (m: number) => `${String(Math.floor(m / 60) % 24).padStart(2, '0')}:${String(m % 60).padStart(2, '0')}`
/** 1 January 2024 was a Monday. */
export const dayName = (day: number) => new Intl.DateTimeFormat(words.lang, { weekday: 'short', timeZone: 'UTC' }).format(new Date(Date.UTC(2024, 0, day)))

export function hoursLine(terms: Terms): string {
  if (!terms.hours.length) return t('share.hours.any')
  return terms.hours.map((h) => `${h.days.map(dayName).join(' ')} ${minute(h.from)}–${minute(h.to)}`).join(' · ')
}

const moment = (at: string, zone: string) => `${date(Date.parse(at), words.lang, zone)}, ${clock(Date.parse(at), words.lang, zone, false)}`
const here = Intl.DateTimeFormat().resolvedOptions().timeZone

export function endLine(terms: Terms, zone = here): string {
  return terms.until ? t('share.until', { when: moment(terms.until, zone) }) : t('share.untilRevoked')
}

export function stateLine(s: Share, zone = here): string {
  if (s.state === 'ended') return s.former ? t('share.state.former') : t('share.state.ended')
  if (s.state === 'invited') return t('share.state.invited', { when: moment(s.accept_by ?? s.created_at, zone) })
  return endLine(s, zone)
}

export const sharedMoment = moment

/** What an invite or a change says that somebody may do. */
export type NewTerms = Pick<NewInvite, 'abilities' | 'hours' | 'history_from' | 'until'>

/** Live and nothing else; footage, where it is added, from now on. */
export const firstTerms = (): NewTerms => ({ abilities: ['live'] })

export const termsOf = (s: Terms): NewTerms => ({ abilities: s.abilities, hours: s.hours.length ? s.hours : undefined, history_from: s.from, until: s.until })
