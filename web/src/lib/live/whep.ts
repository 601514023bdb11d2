import { media } from '../api'
import { parseProblem } from '../api/client'
import { words } from '../words/index.svelte'
import { Edge } from './edge'
import type { Handlers, LiveSession } from './session'

/** Live over WebRTC: one offer, one answer (WHEP), host candidates of the server only. */
export function whep(camera: string, video: HTMLVideoElement, want: { quality: string; audio: boolean }, on: Handlers): LiveSession {
  const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' })
  const stream = new MediaStream()
  const edge = new Edge()
  let resource: string | null = null
  let closed = false
  let first = true
  let frames = 0

  const fail = (why: unknown) => {
    if (!closed) on.failed(why)
  }
  pc.addTransceiver('video', { direction: 'recvonly' })
  if (want.audio) pc.addTransceiver('audio', { direction: 'recvonly' })
  pc.ontrack = (e) => {
    e.receiver.jitterBufferTarget = 0
    stream.addTrack(e.track)
    if (video.srcObject !== stream) video.srcObject = stream
    video.play().catch(() => {})
  }
  pc.onconnectionstatechange = () => {
    if (pc.connectionState === 'failed' || pc.connectionState === 'closed') fail('live.why.broken')
  }

  const look = (now: number, meta: VideoFrameCallbackMetadata) => {
    if (closed) return
    frames = meta.presentedFrames
    if (first) {
      first = false
      on.first()
    }
    on.picture()
    if (!edge.reached && edge.presented(meta.presentationTime ?? now, meta.rtpTimestamp ?? frames * 9000, frames)) on.edge()
    video.requestVideoFrameCallback(look)
  }
  if ('requestVideoFrameCallback' in video) video.requestVideoFrameCallback(look)
  else watchTime(video as HTMLVideoElement, () => closed, on)

  const end = () => {
    const ends = resource ? fetch(resource, { method: 'DELETE', keepalive: true }).catch(() => {}) : Promise.resolve()
    resource = null
    // The server is told first: a connection that just closes would be gone before it is ended.
    void ends.finally(() => pc.close())
  }
  void (async () => {
    try {
      await pc.setLocalDescription()
      // The server's candidates are enough: it learns ours from the first check. Nothing to gather, nothing to wait for.
      const response = await fetch(media.whep(camera, want.quality, want.audio), {
        method: 'POST',
        headers: { 'Content-Type': 'application/sdp', Accept: 'application/sdp', 'Accept-Language': words.lang },
        body: pc.localDescription!.sdp,
      })
      const text = await response.text()
      const where = response.headers.get('Location')
      if (where) resource = new URL(where, response.url).href
      if (!response.ok) throw parseProblem(response.status, safe(text))
      if (closed) return end()
      await pc.setRemoteDescription({ type: 'answer', sdp: text })
    } catch (e) {
      fail(e)
    }
  })()

  return {
    transport: 'whep',
    close() {
      if (closed) return
      closed = true
      end()
      if (video.srcObject === stream) video.srcObject = null
    },
  }
}

function safe(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Browsers without frame callbacks: the clock of the element has to do. */
export function watchTime(video: HTMLVideoElement, closed: () => boolean, on: Handlers) {
  let first = true
  video.addEventListener('timeupdate', function tick() {
    if (closed()) return video.removeEventListener('timeupdate', tick)
    if (video.readyState < 2) return
    on.picture()
    if (first) {
      first = false
      on.first()
      on.edge()
    }
  })
}
