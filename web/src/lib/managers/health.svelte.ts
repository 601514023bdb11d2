import { api, type CameraHealth, type Health } from '../api'
import { feed } from './events.svelte'

const again = 60_000

/** How the cameras of this account are doing; asked again when something happens, and each minute while the page is seen. */
class HealthManager {
  now = $state<Health | null>(null)
  #asked: ReturnType<typeof setTimeout> | undefined
  #run = 0
  #watched = false

  constructor() {
    const soon = () => this.#soon(300)
    for (const name of ['camera.state', 'camera.recording', 'camera.added', 'camera.removed', 'feed.resumed', 'resync'] as const) feed.on(name, soon)
  }

  of(id: string): CameraHealth | undefined {
    return this.now?.cameras.find((c) => c.camera_id === id)
  }

  /** Keeps it fresh until the answer is called. */
  watch(): () => void {
    this.#watched = true
    void this.load()
    return () => {
      this.#watched = false
      clearTimeout(this.#asked)
    }
  }

  async load() {
    const run = ++this.#run
    try {
      const seen = await api.health()
      if (run === this.#run) this.now = seen
    } catch {
      // The list of cameras says what is wrong; the last answer stays until the next.
    }
    if (run === this.#run) this.#soon(again)
  }

  #soon(ms: number) {
    clearTimeout(this.#asked)
    if (!this.#watched) return
    this.#asked = setTimeout(() => (document.visibilityState === 'visible' ? void this.load() : this.#soon(again)), ms)
  }

  forget() {
    this.#run++
    clearTimeout(this.#asked)
    this.now = null
  }
}

export const health = new HealthManager()
