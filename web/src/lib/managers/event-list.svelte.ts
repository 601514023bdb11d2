import { api, handleError, type CameraEvent, type Problem } from '../api'
import type { EventsView } from '../route'
import { dayOf, instant } from '../time'
import { feed } from './events.svelte'

const page = 48

/** A list of events, newest first: read by pages, kept fresh by the feed. What narrows it is its name. */
export class EventList {
  list = $state.raw<CameraEvent[] | null>(null)
  problem = $state<Problem | null>(null)
  more = $state(false)
  /** Grows with each change of an event's picture, so that it is fetched anew. */
  versions = $state.raw<Record<string, number>>({})
  /** Where the page was scrolled to, and which event had the focus, when the person left. */
  scroll = 0
  focus = ''
  name = ''
  #view: EventsView = {}
  #zone = 'UTC'
  #next = ''
  #run = 0
  #soon: ReturnType<typeof setTimeout> | undefined

  constructor(readonly size = page) {
    const fresh = (e: { event_id?: string }) => {
      const id = e.event_id
      if (id) this.versions = { ...this.versions, [id]: (this.versions[id] ?? 0) + 1 }
      this.#refresh()
    }
    for (const name of ['event.opened', 'event.changed', 'event.closed'] as const) feed.on(name, fresh)
    for (const name of ['resync', 'feed.resumed', 'camera.removed', 'camera.motion'] as const) feed.on(name, () => this.#refresh())
    feed.on('event.seen', (e) => this.#marked(e.event_ids, e.seen))
  }

  /** Shows another list, unless it is the one that is there already. */
  show(name: string, view: EventsView, zone: string) {
    if (this.name === name && this.#zone === zone && this.list) return this.#refresh()
    this.name = name
    this.#view = view
    this.#zone = zone
    this.list = null
    this.scroll = 0
    this.focus = ''
    void this.load()
  }

  #query(cursor = '') {
    const q: Parameters<typeof api.events>[0] = { limit: this.size }
    if (this.#view.camera) q.camera = this.#view.camera
    if (this.#view.kind) q.kind = this.#view.kind
    if (this.#view.seen === 'no') q.seen = 'false'
    const day = /^(\d{4})-(\d{2})-(\d{2})$/.exec(this.#view.day ?? '')
    if (day) {
      const at = { year: Number(day[1]), month: Number(day[2]), day: Number(day[3]), hour: 0, minute: 0, second: 0 }
      const { from, to } = dayOf(instant(at, this.#zone), this.#zone)
      q.from = new Date(from).toISOString()
      q.to = new Date(to).toISOString()
    }
    if (cursor) q.cursor = cursor
    return q
  }

  async load() {
    const run = ++this.#run
    try {
      const { events, next_cursor } = await api.events(this.#query())
      if (run !== this.#run) return
      const old = this.list ?? []
      // What was read further down stays: only the newest page is read again.
      const edge = events.at(-1)
      const ids = new Set(events.map((e) => e.id))
      const rest = edge && next_cursor ? old.filter((e) => !ids.has(e.id) && e.start <= edge.start) : []
      if (!rest.length) {
        this.#next = next_cursor ?? ''
        this.more = !!next_cursor
      }
      this.list = [...events, ...rest]
      this.problem = null
    } catch (e) {
      if (run === this.#run) this.problem = handleError(e)
    }
  }

  async further() {
    const cursor = this.#next
    if (!cursor) return
    this.#next = ''
    const run = this.#run
    try {
      const { events, next_cursor } = await api.events(this.#query(cursor))
      if (run !== this.#run && !this.list) return
      const ids = new Set(this.list?.map((e) => e.id))
      this.list = [...(this.list ?? []), ...events.filter((e) => !ids.has(e.id))]
      this.#next = next_cursor ?? ''
      this.more = !!next_cursor
    } catch (e) {
      this.#next = cursor
      this.problem = handleError(e)
    }
  }

  /** Says that events were seen, or takes it back. */
  async mark(ids: string[], seen: boolean) {
    this.#marked(ids, seen, true)
    try {
      await api.seen(ids, seen)
    } catch (e) {
      this.#marked(ids, !seen, true)
      this.problem = handleError(e)
    }
  }

  #marked(ids: string[], seen: boolean, here = false) {
    if (!this.list) return
    const set = new Set(ids)
    this.list = this.list.map((e) => (set.has(e.id) && e.seen !== seen ? { ...e, seen } : e))
    if (!here && this.#view.seen === 'no') this.#refresh()
  }

  #refresh() {
    if (!this.list) return
    clearTimeout(this.#soon)
    this.#soon = setTimeout(() => void this.load(), 150)
  }

  forget() {
    this.#run++
    clearTimeout(this.#soon)
    this.list = null
    this.name = ''
    this.#next = ''
    this.more = false
    this.problem = null
  }
}

/** The page's list, which outlives the page so that Back shows it as it was. */
export const eventList = new EventList()
/** What Home shows: what was not seen yet. */
export const unseen = new EventList(6)
