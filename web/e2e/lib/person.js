// Somebody in front of a browser. Every tap and key goes through here, so that a journey can be counted.

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { chromium } from 'playwright-core'

const words = Object.fromEntries(['en', 'zh-Hans'].map((lang) => [lang, JSON.parse(readFileSync(resolve(import.meta.dirname, `../../../words/${lang}.json`), 'utf8'))]))
/** A sentence of the catalogue without arguments, as the page says it. */
export function say(key, lang = 'en') {
  const text = words[lang][key]
  if (text === undefined) throw new Error(`no such word: ${key}`)
  return text.replaceAll("''", "'")
}
/** A sentence with arguments: whatever the arguments are. */
export function saying(key, lang = 'en') {
  const parts = say(key, lang).split(/\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}/)
  return new RegExp(parts.map((p) => p.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.+'))
}
export const keys = Object.keys(words.en)

export const openBrowser = () =>
  chromium.launch({
    executablePath: process.env.E2E_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--mute-audio'],
  })

export class Person {
  taps = 0
  keys = 0
  lang = 'en'
  /** What the browser complained about and nobody expected. */
  complaints = []
  /** Requests that went elsewhere. */
  strangers = []
  /** Requests that have no end yet. */
  open = new Set()
  #expected = []

  static async open(browser, url, { width = 1280, height = 900, lang = 'en', ...more } = {}) {
    const context = await browser.newContext({ viewport: { width, height }, locale: lang === 'en' ? 'en-GB' : 'zh-CN', timezoneId: 'Europe/Berlin', reducedMotion: 'no-preference', acceptDownloads: true, ...more })
    const me = new Person()
    me.context = context
    me.address = new URL(url).origin
    me.lang = lang
    me.page = await context.newPage()
    me.page.setDefaultTimeout(30_000)
    me.#watch()
    await me.page.goto(url)
    return me
  }

  #watch() {
    const ours = (url) => /^(data|blob|about):/.test(url) || new URL(url).host === new URL(this.address).host
    this.context.on('request', (r) => ours(r.url()) || this.strangers.push(r.url()))
    this.context.on('request', (r) => this.open.add(r))
    for (const end of ['requestfinished', 'requestfailed']) this.context.on(end, (r) => this.open.delete(r))
    this.page.on('websocket', (s) => ours(s.url()) || this.strangers.push(s.url()))
    this.page.on('pageerror', (e) => this.complaints.push(`error: ${e.stack ?? e.message}`))
    this.page.on('console', (m) => {
      if (m.type() !== 'error' && m.type() !== 'warning') return
      const text = `${m.type()}: ${m.text()} ${m.location().url ?? ''}`
      if (!this.#expected.some((e) => e.test(text))) this.complaints.push(text)
    })
  }

  /** While `act` runs the browser may log refusals that fit; a refused request always shows in its console. */
  async expecting(pattern, act) {
    this.#expected.push(pattern)
    try {
      return await act()
    } finally {
      await this.page.waitForTimeout(50)
      this.#expected = this.#expected.filter((e) => e !== pattern)
    }
  }

  /** What the browser may log from now on. */
  allow(pattern) {
    this.#expected.push(pattern)
  }

  count() {
    this.taps = this.keys = 0
  }

  say = (key) => say(key, this.lang)
  test = (name) => this.page.locator(`[data-test="${name}"]`)
  button = (name, options) => this.page.getByRole('button', { name, ...options })
  link = (name, options) => this.page.getByRole('link', { name, ...options })
  field = (key) => this.page.getByLabel(this.say(key), { exact: true })

  async tap(locator, options) {
    this.taps++
    await locator.click(options)
  }
  async key(name) {
    this.keys++
    await this.page.keyboard.press(name)
  }
  /** Types where the cursor is; what has to be known (an address, a password) is not counted as taps. */
  async type(text) {
    this.keys += text.length
    await this.page.keyboard.type(text)
  }
  /** Fills a field that the cursor has not reached by itself: costs a tap. */
  async fill(locator, text) {
    await this.tap(locator)
    this.keys += text.length
    await locator.fill(text)
  }

  /** Goes to a page as one who follows the bar. */
  async go(key) {
    await this.tap(this.page.getByRole('navigation').getByRole('link', { name: this.say(key), exact: true }))
  }

  /** Waits until what the page computes is true; the last answer is in the error. */
  async until(what, look, patience = 30_000) {
    const end = Date.now() + patience
    let last
    for (;;) {
      last = await look()
      if (last) return last
      if (Date.now() > end) throw new Error(`${what}: still ${JSON.stringify(last)} after ${patience / 1000} s`)
      await this.page.waitForTimeout(100)
    }
  }

  /** Waits for a dialog, and for the cursor to stand in its first field. */
  async dialog(typing = true) {
    const box = this.page.getByRole('dialog')
    await box.waitFor()
    if (typing) await this.until('the cursor in the dialog', () => box.evaluate((d) => d.contains(document.activeElement) && document.activeElement.matches('input')))
    return box
  }

  /** A film that really plays: its time moves and pictures come out of the decoder. */
  async plays(video, what = 'video') {
    const look = () => video.evaluate((v) => ({ t: v.currentTime, n: v.getVideoPlaybackQuality().totalVideoFrames, w: v.videoWidth, muted: v.muted }))
    let first
    return this.until(`${what} plays`, async () => {
      const is = await look()
      first ??= is.n > 0 && is.w > 0 ? is : undefined
      return first && is.t > first.t + 0.5 && is.n > first.n ? is : false
    })
  }

  async close() {
    await this.context.close()
  }
}
