/**
 * Tells when a WebRTC viewer has reached the live edge. The server sends the pictures since the last key picture one
 * tick apart, then the live ones at their own times; while the backlog is decoded, pictures lag less and less. The
 * edge is reached when pictures are a real interval apart and the lag no longer falls by more than half an interval.
 */
export class Edge {
  #last: { at: number; rtp: number; count: number } | null = null
  #calm = 0
  reached = false

  /** One presented picture: when (ms), its RTP timestamp (90 kHz), pictures presented so far. */
  presented(at: number, rtp: number, count: number): boolean {
    const last = this.#last
    this.#last = { at, rtp, count }
    if (this.reached || !last) return this.reached
    const pictures = Math.max(1, count - last.count)
    const ticks = ((rtp - last.rtp) | 0) / pictures
    const interval = ticks / 90
    const fall = interval * pictures - (at - last.at)
    // Under 5 ms apart is the backlog, not a camera. One picture that comes when it is due says as much as two that
    // nearly do, and at ten pictures a second it says so a tenth of a second earlier.
    if (ticks > 450 && fall < Math.max(interval / 2, 12) * pictures) this.#calm += fall < (interval / 4) * pictures ? 2 : 1
    else this.#calm = 0
    if (this.#calm >= 2) this.reached = true
    return this.reached
  }
}
