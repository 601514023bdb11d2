import { media } from '../api'
import type { Key } from '../words/index.svelte'
import { mediaSource } from './choose'
import { MseQueue, type Sink } from './mse-queue'
import type { Handlers, LiveSession } from './session'

// The wire format is described in internal/live/mse.
interface Hello {
  type: 'hello' | 'switch'
  mime: string
  width: number
  height: number
  profile: string
  /** The codec of the sound; empty without any. */
  audio: string
  /** Media times of the first and the newest picture that wait at the moment of joining, seconds. */
  start: number
  edge: number
  /** How far pictures are shown after they were sent, for their order. */
  reorder?: number
  /** Pictures from start to edge; without any, start means nothing. */
  gop_units: number
}
interface Skip {
  type: 'skip'
  from: number
  to: number
}

/** Close reasons of the server that have a sentence of their own here. */
const endings: Record<string, Key> = {
  'live.slow': 'live.why.slow',
  'live.busy': 'live.why.busy',
  'live.not_ready': 'live.why.notReady',
  'live.ended': 'live.why.ended',
  'live.browser': 'live.why.codec',
}

/**
 * How far behind the edge the player stays. Browsers want a few pictures in hand before they play, and every time they
 * run dry they want more; so a slow stream needs more time, and one with pictures out of order more still.
 */
export function slackOf(fps: number, reorder: number): number {
  return Math.min(1.2, Math.max(0.25, 4.5 / (fps > 0 ? fps : 15) + reorder))
}

/** Live over Media Source: JSON text and fMP4 over one WebSocket. */
export function mse(camera: string, video: HTMLVideoElement, want: { quality: string; audio: boolean; fps: number }, on: Handlers): LiveSession {
  const socket = new WebSocket(media.mse(camera, want.quality, want.audio))
  socket.binaryType = 'arraybuffer'
  const Source = mediaSource()!
  const source = new Source()
  const managed = 'ManagedMediaSource' in globalThis
  const early: (ArrayBuffer | Hello)[] = []
  let queue: MseQueue | null = null
  let url = ''
  let closed = false
  let failed = false
  let begun = false
  let covered = true
  let slack = 0.25
  let mime = ''
  /** Stretches the server left out for a slow connection. */
  const holes: Skip[] = []
  let timer: ReturnType<typeof setInterval> | undefined
  let first = true

  const fail = (why: unknown) => {
    if (closed || failed) return
    failed = true
    on.failed(why)
  }
  const newest = () => {
    const b = video.buffered
    return b.length ? b.end(b.length - 1) : 0
  }

  // Order matters: init segment, metadata known, a seekable range, the seek, and only then the pictures. The browser
  // decodes from the key picture and shows nothing before the target.
  const begin = (hello: Hello) => {
    on.described?.({ width: hello.width, height: hello.height, profile: hello.profile, audio: hello.audio !== '' })
    mime = hello.mime
    slack = slackOf(want.fps, hello.reorder ?? 0)
    const buffer = source.addSourceBuffer(hello.mime)
    queue = new MseQueue(buffer as unknown as Sink, () => video.currentTime, fail)
    if (managed) {
      queue.open = (source as unknown as { streaming: boolean }).streaming !== false
      source.addEventListener('startstreaming', () => {
        queue!.open = true
        queue!.run()
      })
      source.addEventListener('endstreaming', () => (queue!.open = false))
    }
    // The init segment is the next binary message; metadata follows its append.
    let seeked = false
    const seek = () => {
      if (seeked || closed) return
      seeked = true
      source.setLiveSeekableRange?.(0, hello.edge + 86_400)
      // Never before the first picture there is: a group that has only begun is shorter than the margin.
      video.currentTime = Math.max(hello.gop_units ? hello.start : hello.edge, hello.edge - slack)
      begun = true
      for (const message of early.splice(0)) take(message)
    }
    video.addEventListener('loadedmetadata', seek, { once: true })
  }

  const take = (message: ArrayBuffer | Hello) => {
    if (message instanceof ArrayBuffer) {
      queue?.append(message)
      if (first) queue?.then(reachable)
    }
    else {
      // Other parameters from here on: the same element goes on with the new type.
      if (message.mime !== mime) queue?.change(message.mime)
      mime = message.mime
      on.described?.({ width: message.width, height: message.height, profile: message.profile, audio: message.audio !== '' })
    }
  }

  /** A target that lies before everything that came would wait for ever. */
  const reachable = () => {
    const b = video.buffered
    if (b.length && video.currentTime < b.start(0)) video.currentTime = b.start(0)
  }

  let opened = false
  let hello: Hello | null = null
  let sentInit = false
  const receive = (message: ArrayBuffer | Hello) => {
    if (!hello) {
      if (message instanceof ArrayBuffer) return
      hello = message
      if (opened) begin(hello)
      return
    }
    if (begun) return take(message)
    if (!sentInit && queue && message instanceof ArrayBuffer) {
      sentInit = true
      queue.append(message)
    } else early.push(message)
  }
  source.addEventListener('sourceopen', () => {
    if (closed || opened) return
    opened = true
    if (!hello) return
    try {
      begin(hello)
    } catch (e) {
      return fail(e)
    }
    const init = early.findIndex((m) => m instanceof ArrayBuffer)
    if (init >= 0) {
      sentInit = true
      queue!.append(early.splice(init, 1)[0] as ArrayBuffer)
    }
  })

  socket.onmessage = (e: MessageEvent<string | ArrayBuffer>) => {
    if (closed) return
    try {
      if (typeof e.data !== 'string') return receive(e.data)
      const message = JSON.parse(e.data) as Hello | Skip
      if (message.type === 'skip') holes.push(message)
      else receive(message)
    } catch (why) {
      fail(why)
    }
  }
  socket.onclose = (e) => fail(endings[e.reason] ?? 'live.why.broken')

  const look = () => {
    if (closed) return
    if (first) {
      first = false
      on.first()
    }
    on.picture()
    keepUp()
    if ('requestVideoFrameCallback' in video) video.requestVideoFrameCallback(look)
  }
  // The player starts behind by its decode time. It catches up fast under the cover, then stays by a hair's breadth.
  const keepUp = () => {
    const lag = newest() - video.currentTime
    if (covered) {
      // Slower the nearer: at 8 a callback that comes 50 ms late has used up 0.4 s, and a player that ran dry stands still
      // for longer than it had saved.
      if (lag < slack + 0.08) arrive()
      else video.playbackRate = Math.min(8, 1 + (lag - slack) / 0.2)
      return
    }
    if (lag > 4 && !video.seeking) video.currentTime = newest() - slack
    video.playbackRate = lag > slack + 0.25 ? 1.03 : 1
  }
  const arrive = () => {
    covered = false
    video.playbackRate = 1
    on.edge()
  }
  const waiting = () => {
    const hole = holes.find((h) => video.currentTime > h.from - 0.5 && video.currentTime < h.to)
    if (hole) {
      holes.splice(0, holes.indexOf(hole) + 1)
      video.currentTime = hole.to + 0.01
    } else if (!covered) slack = Math.min(1.5, slack + 0.1)
    // Ran dry while catching up: this is as near to the edge as this decoder gets.
    else if (begun && !first) arrive()
  }
  if ('requestVideoFrameCallback' in video) video.requestVideoFrameCallback(look)
  else timer = setInterval(() => (video as HTMLVideoElement).readyState > 2 && look(), 200)
  video.addEventListener('waiting', waiting)

  video.disableRemotePlayback = true
  if (managed) video.srcObject = source as unknown as MediaStream
  else video.src = url = URL.createObjectURL(source)
  video.play().catch(() => {})

  return {
    transport: 'mse',
    close() {
      if (closed) return
      closed = true
      clearInterval(timer)
      // One that is still being opened is closed once it is; browsers complain otherwise.
      if (socket.readyState === WebSocket.CONNECTING) socket.addEventListener('open', () => socket.close())
      else socket.close()
      video.removeEventListener('waiting', waiting)
      video.playbackRate = 1
      if (managed) video.srcObject = null
      else {
        video.removeAttribute('src')
        URL.revokeObjectURL(url)
      }
      video.load()
    },
  }
}
