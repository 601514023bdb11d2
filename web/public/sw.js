// The app while it is closed: shows messages, opens the moment they are about, and keeps the app's
// own files at hand for when there is no network. It never keeps an answer of the API, a picture or footage.
const shell = 'candor-shell-1'
const base = new URL('.', self.location.href).href

// A newer worker waits until the last page of the older one is closed: to take its place while it answers a
// reload leaves that reload without an answer. What a page is made of comes from the network all the same.
self.addEventListener('activate', (e) =>
  e.waitUntil(
    (async () => {
      for (const name of await caches.keys()) if (name !== shell) await caches.delete(name)
      await self.clients.claim()
    })(),
  ),
)

self.addEventListener('fetch', (e) => {
  const { request } = e
  if (request.method !== 'GET' || !request.url.startsWith(base)) return
  const path = request.url.slice(base.length)
  if (path.startsWith('api/')) return
  if (request.mode === 'navigate') answer(e, base, 'text/html')
  else if (path === 'theme.js') answer(e, request.url, 'text/javascript')
  else if (path.startsWith('assets/')) answer(e, request.url)
})

// The network's answer when there is one, else the last that was kept. Keeping happens beside it: nobody
// waits for the store, which lets one write stand in the way of everything else.
function answer(e, key, type) {
  const given = fetch(e.request)
  e.waitUntil(given.then((a) => store(key, a.clone(), type)).catch(() => undefined)) // before respondWith: it takes the body
  e.respondWith(given.catch(async (cause) => (await last(key)) ?? Promise.reject(cause)))
}

const last = async (key) => (await caches.open(shell)).match(key)

// The page is the same for every address, so it is kept under one, and no address that somebody went to is
// kept. Files under assets/ carry a hash in their name: what is kept under it already is right.
async function store(key, answer, type) {
  if (!answer.ok || answer.redirected || (type && !answer.headers.get('Content-Type')?.startsWith(type))) return
  const kept = await caches.open(shell)
  if (type) return kept.put(key, answer)
  if (await kept.match(key)) return
  await kept.put(key, answer)
  const all = (await kept.keys()).filter((k) => k.url.includes('/assets/'))
  for (const old of all.slice(0, Math.max(0, all.length - 120))) await kept.delete(old)
}

// A page that opened before there was a worker says what it is made of.
self.addEventListener('message', (e) => {
  if (Array.isArray(e.data?.keep)) e.waitUntil(keep(e.data.keep))
})

async function keep(urls) {
  const assets = urls.filter((url) => typeof url === 'string' && url.startsWith(base + 'assets/'))
  const all = [[base, 'text/html'], [base + 'theme.js', 'text/javascript'], ...assets.map((url) => [url])]
  for (const [url, type] of all) {
    if (await last(url)) continue
    await fetch(url).then((a) => store(url, a, type)).catch(() => undefined) // the next visit tries again
  }
}

self.addEventListener('push', (e) => e.waitUntil(show(e.data)))

async function show(body) {
  let told = {}
  try {
    told = body.json().notification ?? {}
  } catch {
    // shown all the same: a browser takes the right to push away from who stays silent
  }
  const { title = 'Candor', navigate, ...options } = told
  options.icon = base + 'icon.svg'
  const data = options.data ?? {}
  if (data.ticket) {
    const picture = await fetchPicture(data.ticket)
    if (picture) options.image = picture
  }
  await self.registration.showNotification(title, { ...options, data: { ...data, navigate } })
  if (data.test) await post('alerts/arrivals', 'POST', { test: data.test })
}

const post = (path, method, body) =>
  fetch(`${base}api/v1/${path}`, { method, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }).catch(() => undefined)

// The picture of the moment, once; a message does not wait long for it.
async function fetchPicture(ticket) {
  try {
    const answer = await fetch(`${base}api/v1/tickets/${ticket}`, { signal: AbortSignal.timeout(4000) })
    if (!answer.ok) return undefined
    const bytes = new Uint8Array(await answer.arrayBuffer())
    let text = ''
    for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192))
    return 'data:image/jpeg;base64,' + btoa(text)
  } catch {
    return undefined
  }
}

self.addEventListener('notificationclick', (e) => {
  e.notification.close()
  const data = e.notification.data ?? {}
  if (e.action === 'pause' && data.camera) e.waitUntil(post(`cameras/${data.camera}/alerts/pause`, 'PUT', { for: 'half_hour' }))
  else e.waitUntil(open(data.open ?? ''))
})

// The moment, in a window that is open already or in a new one.
async function open(address) {
  const url = new URL(address, base).href
  if (!url.startsWith(base)) return
  for (const one of await self.clients.matchAll({ type: 'window' }))
    if (one.url.startsWith(base)) {
      await one.focus().catch(() => undefined)
      one.postMessage({ go: url.slice(base.length) })
      return
    }
  await self.clients.openWindow(url)
}
