import { api, type Camera } from '../api'
import { LivePlayer } from '../live/live-player.svelte'
import { route, type CameraView } from '../route'
import { router } from '../router.svelte'
import { FootagePlayer } from '../timeline/footage-player.svelte'
import { centred, clamp, follow, hold, level, levels, neighbour, rangeAt, upTo, type View } from '../timeline/layout'
import { Happened, type Mark } from '../timeline/happened.svelte'
import { Scrub } from '../timeline/scrub.svelte'
import { FootageStore } from '../timeline/store.svelte'
import { now } from './now.svelte'
import { preferences } from './preferences.svelte'

const hour = 3_600_000

/** State of one camera's page: live or a moment of footage, the view of the timeline, the cut. The URL restores it. */
export class CameraPage {
  readonly live = new LivePlayer()
  readonly store: FootageStore
  readonly footage: FootagePlayer
  readonly scrub: Scrub
  readonly happened: Happened
  mode = $state<'live' | 'footage'>('live')
  /** The moment under the finger while it moves. */
  scrubbing = $state<number | null>(null)
  view = $state.raw<View>(upTo(Date.now(), hour))
  cutFrom = $state<number | null>(null)
  cutTo = $state<number | null>(null)
  /** What a screen reader is told: changes with acts, not with every frame. */
  spoken = $state(Date.now())
  #written = ''
  #spanChosen = false
  #fitted = false
  #rest: ReturnType<typeof setTimeout> | undefined
  #save: ReturnType<typeof setTimeout> | undefined

  constructor(
    readonly id: string,
    readonly zone: () => string,
    held?: () => boolean | null,
    looked: () => boolean | null = () => false,
  ) {
    this.store = new FootageStore(id, zone, held)
    this.footage = new FootagePlayer(id, this.store)
    this.footage.muted = !preferences.sound
    this.scrub = new Scrub(id)
    this.happened = new Happened(id, zone, looked)
  }

  at = $derived.by(() => this.scrubbing ?? (this.mode === 'live' ? now.ms : this.footage.at))

  /** A camera that is new fills the timeline with what it has, until somebody zooms. */
  fitNew() {
    const age = this.store.oldest === null ? null : now.ms - this.store.oldest
    if (age === null || this.#spanChosen || (this.mode === 'footage' && this.#fitted)) return
    this.#fitted = true
    const span = Math.min(hour, [...levels].reverse().find((l) => l >= age * 1.3) ?? hour)
    if (span !== this.view.span) this.view = this.mode === 'live' ? upTo(now.ms, span) : hold(centred(this.at, span), now.ms)
  }

  /** Takes the state from the URL, at the start and after Back. */
  restore(query: URLSearchParams) {
    const text = query.toString()
    if (text === this.#written) return
    this.#written = text
    const time = (key: string) => {
      const ms = Date.parse(query.get(key) ?? '')
      return Number.isNaN(ms) ? null : ms
    }
    const span = Number(query.get('span')) * 1000
    this.cutFrom = time('from')
    this.cutTo = time('to')
    const at = time('at')
    const width = span > 0 ? clamp(span, 10_000, 24 * hour) : this.view.span
    this.view = at === null ? upTo(now.ms, width) : hold(centred(at, width), now.ms)
    this.#spanChosen = span > 0
    if (at === null) {
      if (this.mode === 'footage') this.#toLive()
    } else {
      this.mode = 'footage'
      this.spoken = at
      void this.footage.seek(at, false)
    }
  }

  /** Shows a moment; the first step from live into footage is one that Back undoes. */
  seek(ms: number, play?: boolean) {
    const from = this.mode
    const t = Math.min(ms, now.ms - 1000)
    this.scrubbing = null
    this.scrub.clear()
    this.mode = 'footage'
    this.spoken = t
    this.view = follow(this.view, t)
    void this.footage.seek(t, play ?? (from === 'live' ? true : this.footage.wantsPlay))
    this.#write(from === 'live')
  }

  goLive() {
    if (this.mode === 'live') return
    this.#toLive()
    this.#write(true)
  }

  #toLive() {
    this.footage.stop()
    this.scrub.clear()
    this.scrubbing = null
    this.mode = 'live'
    this.view = upTo(now.ms, this.view.span)
  }

  nudge(ms: number) {
    if (this.mode === 'live') {
      if (ms < 0) this.seek(Math.min(now.ms + ms, (this.store.newest ?? now.ms) - 1000))
      return
    }
    this.seek(this.at + ms)
  }

  /** The event at the playhead. */
  get event(): Mark | undefined {
    return this.mode === 'live' && this.scrubbing === null ? undefined : this.happened.at(this.at)
  }

  /** Plays an event from five seconds before it; then it was seen. */
  playEvent(mark: Mark) {
    this.seek(mark.from - 5000, true)
    if (!mark.seen) void api.seen([mark.id], true).catch(() => undefined)
  }

  /** Whether there is an event, or else footage, to jump to. */
  can(direction: 1 | -1) {
    return this.happened.neighbour(this.at, direction) !== null || neighbour(this.at, this.store.ranges, direction) !== null
  }

  /** The next event or the one before; where there is none, one stretch of footage forward or back. */
  jump(direction: 1 | -1) {
    const mark = this.happened.neighbour(this.at, direction)
    if (mark) {
      this.playEvent(mark)
      return true
    }
    const to = neighbour(this.at, this.store.ranges, direction)
    if (to !== null) this.seek(to)
    return to !== null
  }

  /** While the finger moves: preview at once, the true frame after a rest. */
  drag(ms: number) {
    const t = Math.min(ms, now.ms)
    this.scrubbing = t
    if (this.mode === 'live') this.footage.at = t
    const range = rangeAt(t, this.store.ranges)
    if (range) this.scrub.ask(t, Math.max(500, this.view.span / 600), range.from)
    clearTimeout(this.#rest)
    this.#rest = setTimeout(() => {
      if (this.scrubbing === null) return
      this.spoken = this.scrubbing
      void this.store.need(this.scrubbing, this.scrubbing + 1)
    }, 120)
  }

  drop() {
    clearTimeout(this.#rest)
    const t = this.scrubbing
    if (t === null) return
    // Dropped at the very end: that is live.
    if (t > now.ms - Math.max(1500, this.view.span / 200) && this.mode === 'live') {
      this.scrubbing = null
      this.scrub.clear()
      return
    }
    this.seek(t)
  }

  zoomTo(span: number, about = this.at) {
    this.#spanChosen = true
    const keep = (about - this.view.from) / this.view.span
    const place = keep >= 0 && keep <= 1 ? keep : 0.5
    this.view = hold({ from: about - place * span, span }, now.ms)
    this.#write(false)
  }
  chooseSpan() {
    this.#spanChosen = true
  }
  zoomStep(direction: 1 | -1) {
    this.zoomTo(level(this.view.span, direction))
  }

  mark(end: 'from' | 'to') {
    if (end === 'from') {
      this.cutFrom = this.at
      if (this.cutTo !== null && this.cutTo <= this.at) this.cutTo = null
    } else {
      this.cutTo = this.at
      if (this.cutFrom !== null && this.cutFrom >= this.at) this.cutFrom = null
    }
    this.#write(false)
  }
  clearCut() {
    this.cutFrom = this.cutTo = null
    this.#write(false)
  }

  get here() {
    return rangeAt(this.at, this.store.ranges)
  }
  get gapHere() {
    return this.store.gaps.find((g) => this.at >= g.from && this.at < g.to)
  }

  /** Keeps the playhead in view while something plays. */
  roll() {
    if (this.scrubbing !== null) return
    if (this.mode === 'live') {
      // Follow the present only when it was in view.
      const end = this.view.from + this.view.span
      if (now.ms > end - this.view.span * 0.06 && now.ms - end < this.view.span * 0.5) this.view = { ...this.view, from: this.view.from + this.view.span * 0.06 }
    } else if (this.footage.state === 'playing') this.view = follow(this.view, this.footage.at)
  }

  /** Writes the state into the URL, seldom enough for every browser. */
  save() {
    clearTimeout(this.#save)
    this.#save = setTimeout(() => this.#write(false), 400)
  }

  startLive(camera: Camera, video: HTMLVideoElement) {
    this.live.start(camera, video, { quality: preferences.quality, audio: camera.streams.some((s) => s.audio) })
  }

  close() {
    clearTimeout(this.#rest)
    clearTimeout(this.#save)
    this.live.close()
    this.footage.close()
    this.store.close()
    this.happened.close()
  }

  #write(push: boolean) {
    if (router.place.page !== 'camera' || router.place.id !== this.id) return
    const iso = (ms: number | null) => (ms === null ? undefined : new Date(ms).toISOString())
    const view: CameraView = { span: this.#spanChosen ? Math.round(this.view.span / 1000) : undefined }
    if (this.mode === 'footage') view.at = iso(this.footage.at)
    view.from = iso(this.cutFrom)
    view.to = iso(this.cutTo)
    const address = route.camera(this.id, view)
    this.#written = new URLSearchParams(address.split('?')[1] ?? '').toString()
    if (address === route.camera(this.id) + location.search) return
    router.go(address, { replace: !push })
  }
}
