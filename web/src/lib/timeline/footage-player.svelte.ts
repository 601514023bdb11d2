import { media } from '../api'
import { neighbour, rangeAt, windowAt, type Range } from './layout'
import type { FootageStore } from './store.svelte'

export type FootageState = 'off' | 'loading' | 'playing' | 'paused' | 'gap' | 'end' | 'broken'

/**
 * Plays footage as a chain of MP4 windows on two video elements: while one plays, the other has the next window ready,
 * so that the hop is not seen. Position is wall time: window start + currentTime.
 */
export class FootagePlayer {
  at = $state(0)
  state = $state<FootageState>('off')
  rate = $state(1)
  /** Which of the two elements is in front. */
  front = $state<0 | 1>(0)
  muted = $state(true)
  #videos: [HTMLVideoElement, HTMLVideoElement] | null = null
  #windows: [Range | null, Range | null] = [null, null]
  #wantsPlay = false
  #frame = 0
  #retry: ReturnType<typeof setTimeout> | undefined
  #run = 0

  constructor(
    readonly camera: string,
    readonly store: FootageStore,
  ) {}

  attach(a: HTMLVideoElement, b: HTMLVideoElement) {
    this.#videos = [a, b]
    ;[a, b].forEach((v, i) => {
      v.addEventListener('ended', () => i === this.front && void this.#hop())
      v.addEventListener('error', () => i === this.front && v.getAttribute('src') && this.#broken())
      v.addEventListener('waiting', () => i === this.front && this.state === 'playing' && (this.state = 'loading'))
      v.addEventListener('playing', () => i === this.front && (this.state = 'playing'))
      v.addEventListener('seeked', () => i === this.front && !this.#wantsPlay && this.#read())
    })
    const loop = () => {
      this.#read()
      this.#frame = requestAnimationFrame(loop)
    }
    this.#frame = requestAnimationFrame(loop)
  }

  get wantsPlay() {
    return this.#wantsPlay
  }

  get picture(): HTMLVideoElement | null {
    return this.#videos?.[this.front] ?? null
  }

  /** Shows a moment; plays on when it was playing or is asked to. */
  async seek(ms: number, play = this.#wantsPlay) {
    const run = ++this.#run
    clearTimeout(this.#retry)
    this.#wantsPlay = play
    this.at = ms
    if (!rangeAt(ms, this.store.ranges)) await this.store.need(ms, ms + 1)
    if (run !== this.#run || !this.#videos) return
    const w = this.#windows[this.front]
    const video = this.#videos[this.front]
    if (w && ms >= w.from && ms < w.to && video.readyState >= 1 && !video.error) {
      video.currentTime = (ms - w.from) / 1000
      this.state = play ? 'loading' : 'paused'
      if (play) this.#play(video)
      return
    }
    const next = windowAt(ms, this.store.ranges)
    if (!next) {
      this.#videos[this.front].pause()
      this.state = 'gap'
      return
    }
    this.state = 'loading'
    this.#open(this.front, next, ms)
    if (play) this.#play(video)
  }

  play() {
    if (this.state === 'gap' || this.state === 'end') {
      const next = neighbour(this.at, this.store.ranges, 1)
      if (next) void this.seek(next, true)
      return
    }
    this.#wantsPlay = true
    if (this.state === 'broken') return void this.seek(this.at, true)
    if (this.picture) this.#play(this.picture)
  }

  pause() {
    this.#wantsPlay = false
    this.picture?.pause()
    if (this.state === 'playing' || this.state === 'loading') this.state = 'paused'
  }

  toggle() {
    if (this.#wantsPlay) this.pause()
    else this.play()
  }

  step(seconds: number) {
    this.pause()
    void this.seek(this.at + seconds * 1000, false)
  }

  setRate(rate: number) {
    this.rate = rate
    for (const v of this.#videos ?? []) v.playbackRate = rate
  }

  setMuted(muted: boolean) {
    this.muted = muted
    for (const v of this.#videos ?? []) v.muted = muted
  }

  /** Lets go of the media; the element keeps nothing of what was watched. */
  stop() {
    this.#run++
    clearTimeout(this.#retry)
    this.#wantsPlay = false
    this.state = 'off'
    this.#windows = [null, null]
    for (const v of this.#videos ?? []) {
      v.pause()
      v.removeAttribute('src')
      v.load()
    }
  }

  close() {
    this.stop()
    cancelAnimationFrame(this.#frame)
    this.#videos = null
  }

  #open(i: 0 | 1, w: Range, at = w.from) {
    const v = this.#videos![i]
    this.#windows[i] = w
    v.src = media.footage(this.camera, new Date(w.from).toISOString(), new Date(w.to).toISOString())
    v.preload = 'auto'
    v.muted = this.muted
    v.defaultPlaybackRate = this.rate
    v.playbackRate = this.rate
    if (at > w.from) v.addEventListener('loadedmetadata', () => this.#windows[i] === w && (v.currentTime = (at - w.from) / 1000), { once: true })
    v.addEventListener('loadeddata', () => i === this.front && !this.#wantsPlay && this.state === 'loading' && (this.state = 'paused'), { once: true })
  }

  #play(v: HTMLVideoElement) {
    v.play().catch((e: unknown) => {
      if ((e as DOMException).name !== 'NotAllowedError' || v.muted) return
      this.setMuted(true)
      v.play().catch(() => this.pause())
    })
  }

  #read() {
    const v = this.picture
    const w = this.#windows[this.front]
    if (!v || !w || v.seeking || v.readyState < 2 || this.state === 'off' || this.state === 'gap') return
    this.at = Math.min(w.from + v.currentTime * 1000, w.to)
    if (this.#wantsPlay && w.to - this.at < 20_000 * this.rate) this.#prepare(w)
  }

  /** The window after this one, opened in the back. */
  #prepare(w: Range): Range | null {
    const back = (1 - this.front) as 0 | 1
    const next = windowAt(w.to, this.store.ranges)
    if (!next) return null
    const has = this.#windows[back]
    if (!has || has.from !== next.from) this.#open(back, next)
    return next
  }

  async #hop() {
    const run = this.#run
    const w = this.#windows[this.front]
    if (!w) return
    let next = this.#prepare(w)
    if (!next) {
      await this.store.need(w.to, w.to + 60_000, true)
      if (run !== this.#run) return
      next = this.#prepare(w)
    }
    if (!next) {
      // A gap: go over it. The end of all footage: wait for more.
      const after = neighbour(w.to - 400, this.store.ranges, 1)
      if (after) return void this.seek(after, true)
      this.at = w.to
      this.state = 'end'
      this.#retry = setTimeout(() => run === this.#run && this.#wantsPlay && void this.#hop(), 4000)
      return
    }
    const back = (1 - this.front) as 0 | 1
    const v = this.#videos![back]
    if (this.#wantsPlay) this.#play(v)
    this.front = back
  }

  #broken() {
    this.state = 'broken'
    this.picture?.pause()
  }
}
