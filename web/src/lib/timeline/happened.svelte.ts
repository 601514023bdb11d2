import { api, type CameraEvent } from '../api'
import { feed } from '../managers/events.svelte'
import { dayOf } from '../time'

/** An event as the timeline needs it. */
export interface Mark {
  id: string
  from: number
  to: number
  /** 0 to 1. */
  strength: number
  seen: boolean
  open: boolean
  kind: string
  event: CameraEvent
}

/** The events of one camera: read by the day, a day again when the feed tells of it. */
export class Happened {
  marks = $state.raw<Mark[]>([])
  #days = new Map<number, Mark[]>()
  #asking = new Set<number>()
  #closed = false
  #off: (() => void)[] = []
  #soon: ReturnType<typeof setTimeout> | undefined

  constructor(
    readonly camera: string,
    readonly zone: () => string,
    /** Whether there may be events at all; null = not known yet. */
    readonly held: () => boolean | null,
  ) {
    const told = (e: { camera_id: string }) => e.camera_id === camera && this.#again()
    for (const name of ['event.opened', 'event.changed', 'event.closed', 'camera.motion'] as const) this.#off.push(feed.on(name, told))
    this.#off.push(feed.on('event.seen', (e) => this.#seen(e.event_ids, e.seen)), feed.on('resync', () => this.#again()))
  }

  close() {
    this.#closed = true
    clearTimeout(this.#soon)
    for (const off of this.#off) off()
  }

  /** Makes sure that the days of a stretch are there. */
  need(from: number, to: number) {
    if (!this.held()) return
    for (let t = from; t <= Math.min(to, Date.now()); ) {
      const day = dayOf(t, this.zone())
      if (!this.#days.has(day.from) && !this.#asking.has(day.from)) void this.#read(day.from, day.to)
      t = day.to
    }
  }

  /** The start of the next event after a moment, or of the one before it. */
  neighbour(at: number, direction: 1 | -1): Mark | null {
    if (direction > 0) return this.marks.find((m) => m.from > at + 6000) ?? null
    return [...this.marks].reverse().find((m) => m.from < at + 3500) ?? null
  }

  at(ms: number): Mark | undefined {
    return this.marks.find((m) => ms >= m.from && ms < Math.max(m.to, m.from + 1000))
  }

  #again() {
    clearTimeout(this.#soon)
    this.#soon = setTimeout(() => {
      if (!this.held()) {
        this.#days.clear()
        this.marks = []
        return
      }
      const { from, to } = dayOf(Date.now(), this.zone())
      void this.#read(from, to)
    }, 200)
  }

  #seen(ids: string[], seen: boolean) {
    const set = new Set(ids)
    for (const [day, marks] of this.#days) this.#days.set(day, marks.map((m) => (set.has(m.id) ? { ...m, seen } : m)))
    this.#merge()
  }

  async #read(from: number, to: number) {
    this.#asking.add(from)
    try {
      const { events } = await api.cameraEvents(this.camera, new Date(from).toISOString(), new Date(to).toISOString())
      if (this.#closed) return
      this.#days.set(
        from,
        events.map((e) => ({
          id: e.id,
          from: Date.parse(e.start),
          to: Date.parse(e.end),
          strength: Math.min(1, Math.max(0.15, e.score / 60)),
          seen: e.seen,
          open: e.state === 'open',
          kind: e.kind,
          event: e,
        })),
      )
      this.#merge()
    } catch {
      // the footage says what is wrong; a lane without events is no failure of its own
    } finally {
      this.#asking.delete(from)
    }
  }

  #merge() {
    const all = new Map<string, Mark>()
    for (const marks of this.#days.values()) for (const m of marks) all.set(m.id, m)
    this.marks = [...all.values()].sort((a, b) => a.from - b.from)
  }
}
