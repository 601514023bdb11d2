// Joins a camera many times in a real browser, through the app, and tells what was shown when.
// Reads one JSON object from standard input (see join.go), writes one JSON line per join.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const { chromium } = createRequire(new URL('../web/package.json', import.meta.url))('playwright-core')
const ask = JSON.parse(readFileSync(0, 'utf8'))

const args = ['--autoplay-policy=no-user-gesture-required', '--disable-gpu', '--disable-background-networking', '--disable-component-update']
const browser = await chromium.launch({ executablePath: ask.browser, args: process.getuid?.() === 0 ? ['--no-sandbox', ...args] : args })
const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
const page = await context.newPage()
page.on('pageerror', (e) => console.error('page:', e.message))
await page.addInitScript(watch, ask)
await page.goto(ask.base)
await page.locator('input[type=email]').fill(ask.email)
await page.locator('input[type=password]').fill(ask.password)
await page.locator('form button[type=submit]').click()
// The first join loads the page's code; it is not counted.
const gop = ask.gop * 1000
const phases = Array.from({ length: ask.joins }, (_, i) => ((i + 0.5) / ask.joins) * gop)
for (let i = -1; i < ask.joins; i++) {
  await page.locator('[data-test=tile][data-phase=live]').waitFor({ timeout: 15_000 }).catch(async (e) => {
    console.error(`no live tile; the page at ${page.url()} says: ${await page.locator('body').innerText()}`)
    throw e
  })
  const seen = await page.evaluate(([phases, gop, camera]) => globalThis.bench.join(phases, gop, camera), [i < 0 ? [0] : phases, gop, ask.camera])
  if (i >= 0) {
    phases.splice(seen.phase, 1)
    console.log(JSON.stringify(seen))
  }
  await page.goBack()
}
await browser.close()

/** Runs in the page before anything else. */
function watch(ask) {
  if (ask.transport === 'mse') {
    // A browser without WebRTC: the app itself then chooses MSE.
    delete globalThis.RTCPeerConnection
    delete globalThis.RTCRtpReceiver
  }
  let frames = [] // pictures presented on the camera page
  let asked = 0 // when the POST or the WebSocket was begun
  let still = 0 // when the still on top of the player had loaded
  let edge = null // the cover was lifted
  let first = 0

  const fetch = globalThis.fetch
  globalThis.fetch = (what, init) => {
    if (!asked && frames && String(what.url ?? what).includes('/whep?') && onCamera()) asked = performance.now()
    return fetch(what, init)
  }
  const Socket = globalThis.WebSocket
  globalThis.WebSocket = class extends Socket {
    constructor(...a) {
      if (!asked && onCamera()) asked = performance.now()
      super(...a)
    }
  }
  const onCamera = () => location.pathname.includes('/cameras/')
  document.addEventListener('load', (e) => {
    if (!still && e.target.matches?.('.stage img')) still = performance.now()
  }, true)
  new PerformanceObserver((list) => {
    for (const m of list.getEntries()) {
      if (!onCamera()) continue
      if (m.name === 'candor:first-picture') first ||= m.startTime
      if (m.name === 'candor:live-edge' && !edge) edge = { at: m.startTime, transport: m.detail.transport }
    }
  }).observe({ type: 'mark' })

  // The player asks for each picture; what it is told is noted. Reading the number burnt into a picture takes time, so
  // that is done only well after the cover is lifted; time stamps lead from there to the earlier pictures.
  const canvas = new OffscreenCanvas(ask.bits * 2, 2)
  const paint = canvas.getContext('2d', { willReadFrequently: true })
  const number = (video) => {
    paint.drawImage(video, 0, 0, (video.videoWidth / ask.columns) * ask.bits, video.videoHeight / ask.lines, 0, 0, ask.bits * 2, 2)
    const px = paint.getImageData(0, 0, ask.bits * 2, 2).data
    let n = 0
    for (let bit = 0; bit < ask.bits; bit++) if (px[(ask.bits * 2 + bit * 2 + 1) * 4] > 127) n += 2 ** bit
    return n
  }
  const request = HTMLVideoElement.prototype.requestVideoFrameCallback
  HTMLVideoElement.prototype.requestVideoFrameCallback = function (f) {
    return request.call(this, (now, meta) => {
      const at = performance.now()
      f(now, meta)
      if (!this.closest('.stage')) return
      const frame = { at, time: meta.rtpTimestamp === undefined ? meta.mediaTime : meta.rtpTimestamp / 90000, rtp: meta.rtpTimestamp !== undefined, width: meta.width, count: meta.presentedFrames }
      if (edge && at > edge.at + 150) frame.number = number(this)
      frames.push(frame)
    })
  }

  const sleep = (ms) => new Promise((r) => setTimeout(r, ms))
  globalThis.bench = {
    async join(phases, gop, camera) {
      // The phase that comes next, but not before the tile has settled.
      const now = performance.timeOrigin + performance.now()
      const wait = phases.map((p) => 250 + ((((p - (now + 250 - ask.began)) % gop) + gop) % gop))
      const phase = wait.indexOf(Math.min(...wait))
      await sleep(wait[phase])
      frames = []
      asked = still = first = 0
      edge = null
      const link = document.querySelector(`[data-test=tile] a[href$="${camera}"]`)
      const began = performance.now()
      link.click()
      while (!edge && performance.now() - began < ask.patience) await sleep(20)
      // Some pictures more, to read their numbers; a player that stands still is given time.
      for (let n = 0; n < 20 && frames.filter((f) => f.number !== undefined).length < 5; n++) await sleep(100)
      const ms = (t) => (t ? t - began : null)
      return { phase, at: (performance.timeOrigin + began - ask.began) % gop, asked: ms(asked), still: ms(still), first: ms(first), edge: edge && ms(edge.at),
        transport: edge?.transport ?? document.querySelector('.stage')?.dataset.transport, origin: performance.timeOrigin, began, frames }
    },
  }
}
