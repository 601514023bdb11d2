/** The part of SourceBuffer the queue needs, so that tests can stand in for it. */
export interface Sink {
  readonly updating: boolean
  readonly buffered: { readonly length: number; start(i: number): number; end(i: number): number }
  appendBuffer(data: ArrayBuffer): void
  remove(from: number, to: number): void
  changeType(mime: string): void
  addEventListener(type: 'updateend', f: () => void): void
}

type Item = { data: ArrayBuffer } | { mime: string } | { then: () => void }

/** Feeds a SourceBuffer one thing at a time and in order, and throws away what was seen long ago. */
export class MseQueue {
  #items: Item[] = []
  #bytes = 0
  /** False while the browser asks to wait (ManagedMediaSource). */
  open = true

  constructor(
    readonly sink: Sink,
    readonly position: () => number,
    readonly fail: (why: unknown) => void,
    readonly keep = 12,
    readonly limit = 24 * 1024 * 1024,
  ) {
    sink.addEventListener('updateend', () => this.run())
  }

  append(data: ArrayBuffer) {
    this.#items.push({ data })
    this.#bytes += data.byteLength
    if (this.#bytes > this.limit) this.fail('live.why.slow')
    else this.run()
  }
  change(mime: string) {
    this.#items.push({ mime })
    this.run()
  }
  /** Runs a step once everything before it is in. */
  then(step: () => void) {
    this.#items.push({ then: step })
    this.run()
  }

  run() {
    while (this.#items.length && !this.sink.updating) {
      const item = this.#items[0]!
      if ('data' in item && !this.open) return
      try {
        if ('data' in item) {
          if (this.#trim()) return
          this.sink.appendBuffer(item.data)
          this.#bytes -= item.data.byteLength
        }
        this.#items.shift()
        if ('mime' in item) this.sink.changeType(item.mime)
        else if ('then' in item) item.then()
      } catch (e) {
        if ((e as { name?: string }).name === 'QuotaExceededError' && this.#trim(2)) return
        this.#items = []
        return this.fail(e)
      }
    }
  }

  #trim(keep = this.keep): boolean {
    const b = this.sink.buffered
    if (!b.length) return false
    const start = b.start(0)
    const end = this.position() - keep
    // Not at every picture: only when half as much again has gathered.
    if (end - start < keep / 2) return false
    this.sink.remove(start, end)
    return true
  }
}
