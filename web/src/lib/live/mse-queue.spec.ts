import { describe, expect, it } from 'vitest'
import { MseQueue, type Sink } from './mse-queue'

class Fake implements Sink {
  updating = false
  log: string[] = []
  range: [number, number] | null = null
  refuse = 0
  #f = () => {}
  get buffered() {
    const r = this.range
    return { length: r ? 1 : 0, start: () => r![0], end: () => r![1] }
  }
  appendBuffer(data: ArrayBuffer) {
    if (this.refuse-- > 0) throw Object.assign(new Error('full'), { name: 'QuotaExceededError' })
    this.log.push(`append ${data.byteLength}`)
    this.updating = true
  }
  remove(from: number, to: number) {
    this.log.push(`remove ${from}-${to}`)
    this.range![0] = to
    this.updating = true
  }
  changeType(mime: string) {
    this.log.push(`type ${mime}`)
  }
  addEventListener(_: 'updateend', f: () => void) {
    this.#f = f
  }
  done() {
    this.updating = false
    this.#f()
  }
}
const bytes = (n: number) => new ArrayBuffer(n)

describe('MseQueue', () => {
  it('appends one at a time and in order, steps between', () => {
    const sink = new Fake()
    const q = new MseQueue(sink, () => 0, () => {})
    q.append(bytes(1))
    q.then(() => sink.log.push('seek'))
    q.append(bytes(2))
    q.change('b')
    q.append(bytes(3))
    expect(sink.log).toEqual(['append 1'])
    sink.done()
    expect(sink.log).toEqual(['append 1', 'seek', 'append 2'])
    sink.done()
    expect(sink.log.slice(3)).toEqual(['type b', 'append 3'])
  })
  it('waits while the browser asks to, and drops nothing', () => {
    const sink = new Fake()
    const q = new MseQueue(sink, () => 0, () => {})
    q.open = false
    q.append(bytes(1))
    expect(sink.log).toEqual([])
    q.open = true
    q.run()
    expect(sink.log).toEqual(['append 1'])
  })
  it('throws away what was seen long ago, never what is ahead', () => {
    const sink = new Fake()
    sink.range = [0, 31]
    const q = new MseQueue(sink, () => 30, () => {})
    q.append(bytes(1))
    expect(sink.log).toEqual(['remove 0-18'])
    sink.done()
    expect(sink.log).toEqual(['remove 0-18', 'append 1'])
  })
  it('makes room when the browser is full, else says so', () => {
    const sink = new Fake()
    sink.range = [0, 10]
    sink.refuse = 1
    const why: unknown[] = []
    const q = new MseQueue(sink, () => 9, (w) => why.push(w))
    q.append(bytes(1))
    expect(sink.log).toEqual(['remove 0-7'])
    sink.done()
    expect(sink.log).toEqual(['remove 0-7', 'append 1'])
    expect(why).toEqual([])
  })
  it('gives up on a viewer that cannot keep up', () => {
    const sink = new Fake()
    sink.updating = true
    const why: unknown[] = []
    const q = new MseQueue(sink, () => 0, (w) => why.push(w), 12, 100)
    q.append(bytes(60))
    q.append(bytes(60))
    expect(why).toEqual(['live.why.slow'])
  })
})
