import type { Transport } from './choose'

/** What a way of showing live tells while it runs. */
export interface Handlers {
  /** The first picture is on screen (it may be old). */
  first(): void
  /** Every picture shown. */
  picture(): void
  /** What is on screen is live now: the cover may go. */
  edge(): void
  /** It cannot go on: a Problem, or the key of a sentence. */
  failed(why: unknown): void
  /** Sound or size became known or changed. */
  described?(what: { width?: number; height?: number; audio?: boolean; profile?: string }): void
}

export interface LiveSession {
  readonly transport: Transport
  close(): void
}
