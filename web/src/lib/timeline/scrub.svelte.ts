import { media } from '../api'

/** Pictures under the finger: one request at a time, the newest wish wins, a few kept. */
export class Scrub {
  /** The picture to show, and the moment asked for. */
  shown = $state<{ url: string; at: number } | null>(null)
  #wanted: number | null = null
  #busy = false
  #on = false
  #kept = new Map<string, HTMLImageElement>()

  constructor(
    readonly camera: string,
    readonly width = 640,
  ) {}

  /** Asks for the picture at a moment; grain (ms) makes near moments share one, none before `from`. */
  ask(at: number, grain: number, from: number) {
    this.#on = true
    this.#wanted = Math.max(from, Math.floor(at / grain) * grain)
    void this.#go()
  }

  clear() {
    this.#on = false
    this.#wanted = null
    this.shown = null
  }

  async #go() {
    if (this.#busy) return
    this.#busy = true
    while (this.#wanted !== null) {
      const at: number = this.#wanted
      this.#wanted = null
      const url = media.frame(this.camera, new Date(at).toISOString(), this.width)
      let image = this.#kept.get(url)
      if (!image) {
        image = new Image()
        image.src = url
        try {
          await image.decode()
        } catch {
          continue
        }
        this.#kept.set(url, image)
        if (this.#kept.size > 60) this.#kept.delete(this.#kept.keys().next().value!)
      }
      if (this.#on) this.shown = { url, at }
    }
    this.#busy = false
  }
}
