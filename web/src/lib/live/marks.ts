/**
 * The moments of one live picture, on the browser's own performance timeline, where the benches and a curious person
 * find them: asked for, first picture out of the decoder (perhaps an old one, under the cover), cover lifted.
 */
export type Moment = 'open' | 'first-picture' | 'live-edge'

/** Only the newest of each kind is kept: a page may be open for months. */
export function mark(moment: Moment, camera: string, transport?: string) {
  const name = `candor:${moment}`
  performance.clearMarks(name)
  performance.mark(name, { detail: { camera, transport } })
}
