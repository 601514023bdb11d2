import { api, handleError, type Problem } from '../api'
import { dayOf } from '../time'
import { merge, type Gap, type Range } from './layout'

interface Piece {
  ranges: Range[]
  gaps: Gap[]
  /** How far the answer knew, ms. */
  until: number
}

/** The footage of one camera as the timeline needs it: read by the day, today again every few seconds. */
export class FootageStore {
  ranges = $state.raw<Range[]>([])
  gaps = $state.raw<Gap[]>([])
  days = $state.raw<Map<string, number>>(new Map())
  oldest = $state<number | null>(null)
  newest = $state<number | null>(null)
  problem = $state<Problem | null>(null)
  loaded = $state(false)
  #pieces = new Map<number, Piece>()
  #asking = new Map<number, Promise<void>>()
  #closed = false

  /** `held` = whether there may be footage at all, null = not known yet: where recording is not allowed nothing is asked for. */
  constructor(
    readonly camera: string,
    readonly zone: () => string,
    readonly held: () => boolean | null = () => true,
  ) {}

  close() {
    this.#closed = true
  }

  /** Makes sure the days of a stretch are there. */
  async need(from: number, to: number, fresh = false) {
    const held = this.held()
    if (held === null) return
    if (!held) return this.#nothing()
    const waits: Promise<void>[] = []
    const now = Date.now()
    for (let t = from; t <= Math.min(to, now); ) {
      const day = dayOf(t, this.zone())
      const piece = this.#pieces.get(day.from)
      const current = day.to > now
      if (!piece || (fresh && current) || (current && now - piece.until > 30_000)) waits.push(this.#read(day.from, day.to))
      t = day.to
    }
    await Promise.all(waits)
  }

  async readDays() {
    if (!this.held()) return
    try {
      const { days } = await api.days(this.camera)
      this.days = new Map(days.map((d) => [d.day, d.seconds]))
    } catch {
      // the calendar is a help, not a need
    }
  }

  /** Everything again, after a change of what is kept. */
  async again(from: number, to: number) {
    this.#pieces.clear()
    await this.need(from, to, true)
  }

  #nothing() {
    if (this.loaded && !this.ranges.length && !this.gaps.length && !this.problem) return
    this.#pieces.clear()
    this.ranges = []
    this.gaps = []
    this.oldest = this.newest = this.problem = null
    this.loaded = true
  }

  #read(from: number, to: number): Promise<void> {
    const running = this.#asking.get(from)
    if (running) return running
    const now = Date.now()
    const work = api
      .timeline(this.camera, new Date(from).toISOString(), new Date(Math.min(to, now)).toISOString())
      .then((t) => {
        if (this.#closed || !this.held()) return
        const span = (r: { from: string; to: string }) => ({ from: Date.parse(r.from), to: Date.parse(r.to) })
        this.#pieces.set(from, {
          ranges: (t.ranges ?? []).map(span),
          gaps: (t.gaps ?? []).map((g) => ({ ...span(g), reason: g.reason, sentence: g.sentence })),
          until: now,
        })
        if (t.oldest) this.oldest = Date.parse(t.oldest)
        if (t.newest) this.newest = Math.max(this.newest ?? 0, Date.parse(t.newest))
        const pieces = [...this.#pieces.values()]
        this.ranges = merge(pieces.flatMap((p) => p.ranges))
        this.gaps = pieces.flatMap((p) => p.gaps).sort((a, b) => a.from - b.from)
        this.problem = null
        this.loaded = true
      })
      .catch((e: unknown) => {
        if (!this.#closed && this.held()) this.problem = handleError(e)
      })
      .finally(() => this.#asking.delete(from))
    this.#asking.set(from, work)
    return work
  }
}
