import { api } from '../api'
import { startWorker } from './worker'

/** Whether this browser can take messages while the app is closed. iOS can only from the Home screen. */
export const canPush = () => 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window
export const needsHomeScreen = () => /iPhone|iPad/.test(navigator.userAgent) && !matchMedia('(display-mode: standalone)').matches

const bytes = (text: string) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0))

async function tell(sub: PushSubscription) {
  const { endpoint, keys } = sub.toJSON()
  return api.addPushDevice({ endpoint: endpoint ?? '', p256dh: keys?.p256dh ?? '', auth: keys?.auth ?? '' })
}

/** Subscribes this browser, after the person agreed and pressed the button. Resolves to false when the browser says no. */
export async function subscribe(key: string): Promise<boolean> {
  const worker = await startWorker()
  if (!worker || (await Notification.requestPermission()) !== 'granted') return false
  await navigator.serviceWorker.ready
  const sub = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(key) })
  await tell(sub)
  return true
}

/** At every open: what the server knows of this browser is brought up to date, so that none stops receiving unnoticed. */
export async function atOpen(): Promise<void> {
  if (!canPush() || !(await navigator.serviceWorker.getRegistration())) return
  const worker = await startWorker()
  const sub = await worker?.pushManager.getSubscription()
  if (sub && (await api.alerts()).push_consent === 'given') await tell(sub)
}

/** Ends this browser's subscription. */
export async function unsubscribe(): Promise<void> {
  const worker = 'serviceWorker' in navigator ? await navigator.serviceWorker.getRegistration() : undefined
  await (await worker?.pushManager.getSubscription())?.unsubscribe()
}
