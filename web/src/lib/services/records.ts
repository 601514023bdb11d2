// The codes of inventory, access log and receipt as words. A code without words stays what it is: better odd than hidden.

import type { Access, Held, Receipt } from '../api'
import { t } from '../words/index.svelte'

type Say = () => string
const say = (table: Record<string, Say>, code: string) => table[code]?.() ?? code

const categories: Record<string, Say> = {
  identity: () => t('category.identity'),
  contact: () => t('category.contact'),
  credential: () => t('category.credential'),
  setting: () => t('category.setting'),
  device: () => t('category.device'),
  footage: () => t('category.footage'),
  picture: () => t('category.picture'),
  live: () => t('category.live'),
  access: () => t('category.access'),
  consent: () => t('category.consent'),
  event: () => t('category.event'),
  technical: () => t('category.technical'),
}
const kinds: Record<string, Say> = {
  segment: () => t('held.kind.segment'),
  session: () => t('held.kind.session'),
  profile: () => t('held.kind.profile'),
  camera: () => t('held.kind.camera'),
  site: () => t('held.kind.site'),
  consent: () => t('held.kind.consent'),
  access: () => t('held.kind.access'),
  alert_rule: () => t('held.kind.alertRule'),
  alert_pause: () => t('held.kind.alertPause'),
  push_device: () => t('held.kind.pushDevice'),
  message: () => t('held.kind.message'),
  message_waiting: () => t('held.kind.messageWaiting'),
  event: () => t('held.kind.event'),
  event_seen: () => t('held.kind.event_seen'),
  motion_setting: () => t('held.kind.motion_setting'),
  letter: () => t('held.kind.letter'),
  copy: () => t('held.kind.copy'),
  settings: () => t('held.kind.settings'),
  password: () => t('held.kind.password'),
  'camera password': () => t('held.kind.camera_password'),
  report: () => t('held.kind.report'),
  share: () => t('held.kind.share'),
  membership: () => t('held.kind.membership'),
}
const purposes: Record<string, Say> = {
  account: () => t('purpose.account'),
  security: () => t('purpose.security'),
  live: () => t('purpose.live'),
  recording: () => t('purpose.recording'),
  sharing: () => t('purpose.sharing'),
  motion: () => t('purpose.motion'),
  alerts: () => t('purpose.alerts'),
  message_picture: () => t('purpose.message_picture'),
  push: () => t('purpose.push'),
  diagnostics: () => t('purpose.diagnostics'),
  rights: () => t('purpose.rights'),
  retention: () => t('purpose.retention'),
}
const bases: Record<string, Say> = {
  'eu-gdpr:A6-1-a': () => t('basis.consent'),
  'eu-gdpr:A6-1-b': () => t('basis.contract'),
  'eu-gdpr:A6-1-c': () => t('basis.obligation'),
}
const ends: Record<string, Say> = {
  'account closed': () => t('held.ends.account'),
  'camera removed': () => t('held.ends.camera'),
  'share ended': () => t('held.ends.share'),
  sent: () => t('held.ends.sent'),
}
const actions: Record<string, Say> = {
  'camera.watch': () => t('access.do.watch'),
  'camera.still': () => t('access.do.still'),
  'camera.record': () => t('access.do.record'),
  'camera.pull': () => t('access.do.pull'),
  'camera.list': () => t('access.do.list'),
  'camera.read': () => t('access.do.camera'),
  'camera.change': () => t('access.do.change'),
  'camera.add': () => t('access.do.add'),
  'camera.erase': () => t('access.do.erase'),
  'event.read': () => t('access.do.event'),
  'footage.read': () => t('access.do.footage'),
  'footage.export': () => t('access.do.save'),
  'footage.erase': () => t('access.do.erase'),
  'account.read': () => t('access.do.account'),
  'account.change': () => t('access.do.account'),
  'account.erase': () => t('access.do.erase'),
  'account.sign_in': () => t('access.do.signIn'),
  'privacy.read': () => t('access.do.privacy'),
  'privacy.export': () => t('access.do.export'),
  'consent.change': () => t('access.do.consent'),
}
const whats: Record<string, Say> = {
  recording: () => t('receipt.what.recording'),
  purpose: () => t('receipt.what.purpose'),
  camera: () => t('receipt.what.camera'),
  account: () => t('receipt.what.account'),
}
const steps: Record<string, Say> = {
  asked: () => t('receipt.step.asked'),
  revoked: () => t('receipt.step.revoked'),
  keys_destroyed: () => t('receipt.step.keys_destroyed'),
  swept: () => t('receipt.step.swept'),
  scrubbed: () => t('receipt.step.scrubbed'),
  epoch_turned: () => t('receipt.step.epoch_turned'),
  scanned: () => t('receipt.step.scanned'),
  done: () => t('receipt.step.done'),
}
const places: Record<string, Say> = {
  'keys.db/key': () => t('receipt.where.keys.db/key'),
  'keys.db/bytes': () => t('receipt.where.keys.db/bytes'),
  'keys.db/slot': () => t('receipt.where.keys.db/slot'),
  'keys.db/tombstone': () => t('receipt.where.keys.db/tombstone'),
  opening: () => t('receipt.where.opening'),
}

/** A place that is a table or a folder is told by what its room keeps. */
const rooms: Record<string, Say> = {
  footage: () => t('category.footage'),
  account: () => t('category.identity'),
  device: () => t('category.device'),
  consent: () => t('category.consent'),
  translog: () => t('category.access'),
  share: () => t('category.contact'),
}

export interface HeldGroup {
  category: string
  count: number
  bytes: number
  rows: Held[]
}

const order = ['footage', 'picture', 'live', 'identity', 'contact', 'device', 'credential', 'setting', 'access', 'consent', 'technical']

/** The inventory by category, what matters most first. */
export function inventory(held: Held[]): HeldGroup[] {
  const groups = new Map<string, HeldGroup>()
  for (const h of held) {
    const g = groups.get(h.category) ?? { category: h.category, count: 0, bytes: 0, rows: [] }
    g.count += h.count
    g.bytes += h.bytes
    g.rows.push(h)
    groups.set(h.category, g)
  }
  const rank = (g: HeldGroup) => (order.indexOf(g.category) + 1 || 99)
  return [...groups.values()].sort((a, b) => rank(a) - rank(b))
}

export const categoryName = (code: string) => say(categories, code)
export const kindName = (h: Held) => kinds[h.kind]?.() ?? ''
export const purposeName = (code: string) => say(purposes, code)
export const basisName = (code: string) => say(bases, code)
export const endName = (code: string) => ends[code]?.() ?? ''
export const actorName = (a: Access) => {
  if (a.actor_name) return a.actor_name
  if (a.actor === 'you') return t('access.by.you')
  if (a.actor === 'member') return t('access.by.member')
  if (a.actor === 'link') return t('access.by.link')
  if (a.actor === 'former') return t('access.by.former')
  if (a.actor === 'link:export') return t('access.by.exportLink')
  if (a.actor.startsWith('system')) return t('access.by.system')
  return a.actor
}
export const actionName = (a: Pick<Access, 'action'>) => say(actions, a.action)
export const whatName = (what: Receipt['what']) => say(whats, what)
export const stepName = (code: string) => say(steps, code)
export const placeName = (code: string) => {
  const said = places[code]?.()
  if (said) return said
  const room = /^(?:blob:)?([a-z]+)/.exec(code)?.[1] ?? ''
  return rooms[room]?.() ?? ''
}
