import { api, handleError, type Camera, type Problem, type Site } from '../api'
import { feed } from './events.svelte'

/** The cameras of this account, kept fresh by the event feed. */
class CamerasManager {
  list = $state<Camera[] | null>(null)
  sites = $state<Site[]>([])
  problem = $state<Problem | null>(null)
  #asked: ReturnType<typeof setTimeout> | undefined
  #run = 0

  constructor() {
    const soon = () => this.refresh()
    for (const name of ['camera.state', 'camera.recording', 'camera.added', 'camera.removed', 'camera.motion', 'share.changed', 'feed.resumed', 'resync'] as const) feed.on(name, soon)
  }

  get(id: string): Camera | undefined {
    return this.list?.find((c) => c.id === id)
  }

  /** The time zone of a camera's site; footage is shown in it. */
  zone(camera: Camera | undefined): string {
    return camera?.time_zone ?? this.sites.find((s) => s.id === camera?.site_id)?.time_zone ?? this.sites[0]?.time_zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone
  }

  async load() {
    const run = ++this.#run
    try {
      const [cameras, sites] = await Promise.all([api.cameras(), this.sites.length ? null : api.sites()])
      if (run !== this.#run) return
      this.list = cameras.cameras
      if (sites) this.sites = sites
      this.problem = null
    } catch (e) {
      if (run === this.#run) this.problem = handleError(e)
    }
  }

  /** Reads again soon; many events in a row cost one call. */
  refresh() {
    clearTimeout(this.#asked)
    this.#asked = setTimeout(() => void this.load(), 120)
  }

  put(camera: Camera) {
    this.#run++
    const list = this.list ?? []
    this.list = list.some((c) => c.id === camera.id) ? list.map((c) => (c.id === camera.id ? camera : c)) : [...list, camera]
  }

  drop(id: string) {
    this.#run++
    this.list = this.list?.filter((c) => c.id !== id) ?? null
  }

  forget() {
    this.#run++
    clearTimeout(this.#asked)
    this.list = null
    this.sites = []
    this.problem = null
  }
}

export const cameras = new CamerasManager()
