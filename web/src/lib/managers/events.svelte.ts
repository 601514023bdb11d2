import { media } from '../api'

export interface Told {
  event_id: string
  camera_id: string
}

/** What the server tells without being asked. Ids and small states only, never content. */
export interface Events {
  'camera.state': { camera_id: string }
  'camera.recording': { camera_id: string }
  'camera.added': { camera_id: string }
  'camera.removed': { camera_id: string }
  /** Somebody is told of something, or a device of theirs is reached or gone. */
  notice: { kind: string; camera_id?: string; event_id?: string; count?: number; at?: string }
  'privacy.export': { export_id: string; state: string; done: number; total: number }
  'camera.motion': { camera_id: string }
  'event.opened': Told
  'event.changed': Told
  'event.closed': Told
  'event.seen': { event_ids: string[]; seen: boolean }
  'share.changed': { camera_id: string }
  'session.ended': Record<string, never>
  /** Too much was missed to be told one by one: read everything again. */
  resync: Record<string, never>
  /** The feed is there, or there again: whatever was missed must be read again. */
  'feed.resumed': Record<string, never>
}

type Listener<K extends keyof Events> = (event: Events[K]) => void
const names = ['camera.state', 'camera.recording', 'camera.added', 'camera.removed', 'camera.motion', 'share.changed', 'event.opened', 'event.changed', 'event.closed', 'event.seen', 'notice', 'privacy.export', 'session.ended', 'resync'] as const

/** One typed map of everything that happens, fed by Server-Sent Events. The browser resumes by Last-Event-ID. */
class EventFeed {
  connected = $state(true)
  #listeners = new Map<keyof Events, Set<Listener<never>>>()
  #source: EventSource | null = null
  #retry: ReturnType<typeof setTimeout> | undefined

  on<K extends keyof Events>(name: K, f: Listener<K>): () => void {
    const set = this.#listeners.get(name) ?? new Set()
    set.add(f as Listener<never>)
    this.#listeners.set(name, set)
    return () => set.delete(f as Listener<never>)
  }

  emit<K extends keyof Events>(name: K, event: Events[K]) {
    for (const f of this.#listeners.get(name) ?? []) (f as Listener<K>)(event)
  }

  open() {
    this.close()
    const source = new EventSource(media.events(), { withCredentials: true })
    this.#source = source
    source.onopen = () => {
      // Also the first time: what happened between reading and listening was told to nobody.
      this.emit('feed.resumed', {})
      this.connected = true
    }
    source.onerror = () => {
      this.connected = false
      // A closed source does not come back by itself.
      if (source.readyState === EventSource.CLOSED) this.#retry = setTimeout(() => this.#source === source && this.open(), 3000)
    }
    for (const name of names) {
      source.addEventListener(name, (e) => {
        let data: unknown = {}
        try {
          data = JSON.parse((e as MessageEvent<string>).data)
        } catch {
          // an event without a body still happened
        }
        this.emit(name, data as never)
      })
    }
  }

  close() {
    clearTimeout(this.#retry)
    this.#source?.close()
    this.#source = null
  }
}

export const feed = new EventFeed()
