import { media, type Camera } from '../api'
import { snapshot } from '../live/live-player.svelte'
import { toasts } from '../managers/toasts.svelte'
import { t } from '../words/index.svelte'

/** Saves the picture on screen. The file's name is neutral: it says neither where nor when. */
export async function saveSnapshot(camera: Camera, video: HTMLVideoElement | null) {
  const canvas = snapshot(video)
  let blob: Blob | null = null
  if (canvas) blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/jpeg', 0.92))
  else {
    const response = await fetch(media.still(camera.id)).catch(() => null)
    if (response?.ok) blob = await response.blob()
  }
  if (!blob) return toasts.show(t('player.noPicture'), { tone: 'alert' })
  const url = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = url
  link.download = 'snapshot.jpg'
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
  toasts.show(t('player.snapped'), { tone: 'ok' })
}
