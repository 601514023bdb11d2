// The worker beside the page: it takes messages while the app is closed and keeps the app's own files.
import { base, router } from '../router.svelte'

/** Starts the worker, and follows the messages that people click. */
export async function startWorker(): Promise<ServiceWorkerRegistration | null> {
  if (!('serviceWorker' in navigator)) return null
  navigator.serviceWorker.onmessage = (e: MessageEvent<{ go?: string }>) => {
    if (typeof e.data?.go === 'string') router.go(e.data.go)
  }
  return navigator.serviceWorker.register(new URL('sw.js', base)).catch(() => null)
}

/** Has the worker keep what this page is made of, so that it opens without a network. */
export async function keepShell(): Promise<void> {
  if (!(await startWorker())) return
  const { active } = await navigator.serviceWorker.ready
  const made = performance.getEntriesByType('resource').map((r) => r.name)
  active?.postMessage({ keep: made.filter((name) => name.startsWith(new URL('assets/', base).href)) })
}
