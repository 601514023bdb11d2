import { api, handleError, type Export, type Problem } from '../api'
import { feed } from './events.svelte'

/** The copy of everything that is asked for, made, or over; kept fresh by the event feed. */
export class Copies {
  list = $state<Export[] | null>(null)
  problem = $state<Problem | null>(null)
  /** The link of a copy asked for in this window: it is told once. */
  link = $state('')
  #off: (() => void)[] = []

  get newest(): Export | undefined {
    return this.list?.[0]
  }

  start() {
    void this.load()
    this.#off = [
      feed.on('privacy.export', (e) => {
        const found = this.list?.find((x) => x.id === e.export_id)
        if (found && found.state === e.state) Object.assign(found, { done: e.done, total: e.total })
        else void this.load()
      }),
      feed.on('feed.resumed', () => void this.load()),
    ]
    return () => this.#off.forEach((off) => off())
  }

  async load() {
    try {
      this.list = await api.exports()
      this.problem = null
    } catch (e) {
      this.problem = handleError(e)
    }
  }

  async begin(password: string) {
    const made = await api.beginExport(password)
    this.link = made.link ?? ''
    await this.load()
  }

  async end(id: string) {
    try {
      await api.endExport(id)
      this.link = ''
      await this.load()
    } catch (e) {
      this.problem = handleError(e)
    }
  }
}
