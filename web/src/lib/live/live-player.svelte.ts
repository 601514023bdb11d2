import { handleError, media, type Camera } from '../api'
import { t, type Key } from '../words/index.svelte'
import { abilities, pick, plan, type Quality, type Step, type Transport } from './choose'
import { mark } from './marks'
import { mse } from './mse'
import type { LiveSession } from './session'
import { whep } from './whep'

/** No picture for this long: the next way. */
const patience = 4000
/** Pictures that stop for this long: begin again. */
const silence = 8000

export type LivePhase = 'off' | 'starting' | 'live' | 'stills'

/**
 * One live picture: stills first, then the best way the stream and the browser allow, each with its patience. While a
 * session catches up with the edge the cover (the last still) stays over it, so that nothing visibly plays fast.
 */
export class LivePlayer {
  phase = $state<LivePhase>('off')
  transport = $state<Transport>('stills')
  /** The cover is up. */
  covered = $state(true)
  /** The last still: what the cover shows. */
  still = $state<{ url: string; at: number } | null>(null)
  /** Why it goes the way it goes, as sentences. */
  reasons = $state<string[]>([])
  size = $state<{ width: number; height: number } | null>(null)
  /** From start to first picture and to the live edge, ms: for the tests and the curious. */
  timing = $state<{ first: number; edge: number }>({ first: 0, edge: 0 })

  #video: HTMLVideoElement | null = null
  #session: LiveSession | null = null
  #run = 0
  #steps: Step[] = []
  #timers = new Set<ReturnType<typeof setTimeout>>()
  #lastPicture = 0
  #stills: AbortController | null = null
  #want: { quality: Quality; audio: boolean } = { quality: 'auto', audio: false }
  #fps = 0
  #camera = ''
  #restarts = 0

  constructor(readonly still_width?: number) {}

  /** Starts, or starts anew with other wishes. The last picture stays as the cover meanwhile. */
  start(camera: Camera, video: HTMLVideoElement, want: { quality: Quality; audio: boolean }) {
    const again = this.#camera === camera.id && this.phase === 'live'
    this.#halt()
    if (again) this.#coverWithVideo()
    this.#camera = camera.id
    this.#video = video
    this.#want = want
    this.covered = true
    this.phase = 'starting'
    mark('open', camera.id)
    this.#fps = pick(camera.streams, want.quality)?.fps ?? 0
    const p = plan(camera.streams, abilities(), want)
    this.#steps = p.steps
    this.reasons = p.reasons.map((key) => t(key as Key & 'live.why.reorder'))
    if (!again) void this.fetchStill()
    this.#next(++this.#run)
  }

  stop() {
    this.#halt()
    this.phase = 'off'
    this.covered = true
  }

  /** Stops for good and gives back the memory of the still. */
  close() {
    this.stop()
    this.#show(null)
  }

  /** Gets the camera's last still; resolves to false when there is none. */
  async fetchStill(): Promise<boolean> {
    this.#stills?.abort()
    const abort = (this.#stills = new AbortController())
    try {
      const response = await fetch(media.still(this.#camera, this.still_width), { signal: abort.signal })
      if (!response.ok) return false
      const at = Date.parse(response.headers.get('Candor-Captured-At') ?? '') || Date.now()
      const blob = await response.blob()
      if (abort.signal.aborted) return false
      this.#show({ url: URL.createObjectURL(blob), at })
      return true
    } catch {
      return false
    }
  }

  /** For a tile that is not live: only its still. */
  async poster(camera: Camera) {
    this.#camera = camera.id
    await this.fetchStill()
  }

  #next(run: number) {
    const step = this.#steps.shift()
    if (!step || run !== this.#run) return
    this.transport = step.transport
    if (step.transport === 'stills') return this.#playStills(run)
    const began = performance.now()
    let settled = false
    const giveUp = (why: unknown) => {
      if (run !== this.#run || settled) return
      settled = true
      this.#session?.close()
      this.#session = null
      this.reasons = [...this.reasons, this.#sentence(why, step.transport)]
      this.#next(run)
    }
    const watchdog = this.#later(patience, () => giveUp(step.transport === 'whep' ? 'live.why.silentWebrtc' : 'live.why.silentMse'))
    const open = step.transport === 'whep' ? whep : mse
    try {
      this.#session = open(this.#camera, this.#video!, { ...this.#want, fps: this.#fps }, {
        first: () => {
          if (run !== this.#run) return
          this.#cancel(watchdog)
          mark('first-picture', this.#camera, step.transport)
          this.timing.first = Math.round(performance.now() - began)
          // Never wait for an edge that a browser does not let us see.
          this.#later(2500, () => run === this.#run && this.#uncover(began))
        },
        picture: () => (this.#lastPicture = performance.now()),
        edge: () => run === this.#run && this.#uncover(began),
        described: (d) => {
          if (run === this.#run && d.width && d.height) this.size = { width: d.width, height: d.height }
        },
        failed: (why) => {
          if (run !== this.#run) return
          if (this.phase === 'live') this.#again(run)
          else giveUp(why)
        },
      })
    } catch (e) {
      this.#cancel(watchdog)
      giveUp(e)
    }
  }

  #uncover(began: number) {
    if (!this.covered) return
    this.covered = false
    this.phase = 'live'
    this.#restarts = 0
    mark('live-edge', this.#camera, this.transport)
    this.timing.edge = Math.round(performance.now() - began)
    const v = this.#video
    if (v?.videoWidth) this.size = { width: v.videoWidth, height: v.videoHeight }
    const run = this.#run
    const watch = () => {
      if (run !== this.#run) return
      if (performance.now() - this.#lastPicture > silence && document.visibilityState === 'visible') return this.#again(run)
      this.#later(2000, watch)
    }
    this.#later(2000, watch)
  }

  /** The picture broke off: cover with the last one and begin again, each time a little later. */
  #again(run: number) {
    this.#coverWithVideo()
    this.#session?.close()
    this.#session = null
    this.covered = true
    this.phase = 'starting'
    const want = this.#want
    this.#later(Math.min(8000, 400 * 2 ** this.#restarts++), () => {
      if (run !== this.#run) return
      this.onRestart?.(want)
    })
  }
  /** The owner of the player restarts it with the camera as it is by then. */
  onRestart?: (want: { quality: Quality; audio: boolean }) => void

  #playStills(run: number) {
    this.phase = 'stills'
    const tick = async () => {
      if (run !== this.#run) return
      if (document.visibilityState === 'visible') await this.fetchStill()
      this.#later(1000, () => void tick())
    }
    void tick()
  }

  #coverWithVideo() {
    const url = snapshot(this.#video, 0.7)
    if (!url) return
    url.toBlob((blob) => blob && this.covered && this.#show({ url: URL.createObjectURL(blob), at: Date.now() }), 'image/jpeg', 0.7)
  }

  #show(still: { url: string; at: number } | null) {
    const old = this.still
    this.still = still
    if (old) setTimeout(() => URL.revokeObjectURL(old.url), 1000)
  }

  #sentence(why: unknown, transport: Transport): string {
    if (typeof why === 'string' && why.startsWith('live.')) return t(why as 'live.why.reorder')
    const p = handleError(why)
    return p.code === 'app' ? t('live.why.refused', { way: transport === 'whep' ? 'WebRTC' : 'MSE' }) : p.title
  }

  #later(ms: number, f: () => void) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      f()
    }, ms)
    this.#timers.add(timer)
    return timer
  }
  #cancel(timer: ReturnType<typeof setTimeout>) {
    clearTimeout(timer)
    this.#timers.delete(timer)
  }
  #halt() {
    this.#run++
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    this.#stills?.abort()
    this.#session?.close()
    this.#session = null
  }
}

/** The picture on screen as a canvas, or null when there is none. */
export function snapshot(video: HTMLVideoElement | null, _quality = 0.92): HTMLCanvasElement | null {
  if (!video?.videoWidth) return null
  const canvas = document.createElement('canvas')
  canvas.width = video.videoWidth
  canvas.height = video.videoHeight
  canvas.getContext('2d')!.drawImage(video, 0, 0)
  return canvas
}
