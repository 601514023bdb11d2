// Events as words and addresses.

import type { CameraEvent } from '../api'
import { route } from '../route'
import { length } from '../time'
import { t } from '../words/index.svelte'

export const kindName = (kind: string) => (kind === 'motion' ? t('event.kind.motion') : t('event.kind.other'))

/** Where playing an event begins: five seconds before it, or live where it is going on and nothing is recorded. */
export function playAddress(e: CameraEvent): string {
  if (e.play_from) return route.camera(e.camera_id, { at: e.play_from })
  return e.state === 'open' ? route.camera(e.camera_id) : route.camera(e.camera_id, { at: e.start })
}

/** How long it took, or that it goes on. */
export function lasted(e: CameraEvent): string {
  if (e.state === 'open') return t('event.open')
  return length(Math.max(1000, Date.parse(e.end) - Date.parse(e.start)))
}

/** What else there is to know: cut off, more of it, not recorded. */
export function notes(e: CameraEvent): string[] {
  const out: string[] = []
  if (e.more) out.push(t('event.more', { n: e.more }))
  if (e.state === 'cut_off') out.push(t('event.cutOff'))
  if (!e.recorded) out.push(t('event.notRecorded'))
  return out
}
