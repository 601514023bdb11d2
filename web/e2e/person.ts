// Somebody in front of a browser: clicks and keys are counted, everything the page asks for is noted.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { chromium, type Browser, type BrowserContext, type Locator, type Page } from 'playwright-core'
import { expect } from 'vitest'

export const out = resolve(import.meta.dirname, 'out')
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

export async function browser(): Promise<Browser> {
  mkdirSync(out, { recursive: true })
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--autoplay-policy=no-user-gesture-required',
    ],
  })
}

export class Person {
  clicks = 0
  keys = 0
  /** Addresses asked for that are not the house's. */
  readonly foreign: string[] = []
  /** What the page complained of, answers of the house with an error status left out. */
  readonly complaints: string[] = []

  private constructor(
    readonly page: Page,
    readonly context: BrowserContext,
    readonly address: string,
  ) {
    page.on('request', (r) => {
      if (!/^(data|blob):/.test(r.url()) && !r.url().startsWith(address)) this.foreign.push(r.url())
    })
    page.on('console', (m) => {
      if (m.type() === 'error' && !/Failed to load resource/.test(m.text())) this.complaints.push(m.text())
    })
    page.on('pageerror', (e) => this.complaints.push(e.message))
  }

  static async arrive(b: Browser, address: string): Promise<Person> {
    const context = await b.newContext({ viewport: { width: 1280, height: 860 }, locale: 'en-GB', colorScheme: 'dark', timezoneId: 'Europe/Berlin', acceptDownloads: true })
    return new Person(await context.newPage(), context, address)
  }

  at(test: string): Locator {
    return this.page.locator(`[data-test=${test}]`)
  }
  async click(what: Locator | string) {
    this.clicks++
    await (typeof what === 'string' ? this.page.locator(what) : what).click()
  }
  async press(key: string) {
    this.keys++
    await this.page.keyboard.press(key)
  }
  /** Fills a field as a password manager or a paste would: one key. */
  async fill(what: Locator | string, text: string) {
    this.keys++
    await (typeof what === 'string' ? this.page.locator(what) : what).fill(text)
  }

  async shot(name: string, full = false) {
    await this.page.screenshot({ path: join(out, `${name}.png`), fullPage: full })
  }

  /** WCAG 2.2 AA by axe; what it finds is told with the place. */
  async accessible(where: string) {
    await this.page.evaluate(axe)
    const found = await this.page.evaluate(async () => {
      const run = (globalThis as unknown as { axe: { run: (d: Document, o: object) => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } }).axe.run
      const { violations } = await run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
      return violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 160)).join(' | ')}`)
    })
    expect(found, where).toEqual([])
    const over = await this.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    expect(over, `${where}: wider than the screen`).toBeLessThanOrEqual(0)
  }

  /** Every language, theme and width of the page that is open: axe, and a picture of each. */
  async everyWay(name: string, ready: () => Promise<unknown>) {
    for (const lang of ['en', 'zh-Hans']) {
      for (const theme of ['dark', 'light']) {
        await this.page.evaluate(([l, t]) => {
          localStorage.setItem('candor.language', l!)
          localStorage.setItem('candor.theme', t!)
        }, [lang, theme])
        // The account's own choice would win over the browser's.
        await this.page.evaluate(async ([l, t]) => {
          await fetch(new URL('api/v1/account', document.baseURI), { method: 'PATCH', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ language: l, theme: t }) })
        }, [lang, theme])
        await this.page.reload()
        await ready()
        for (const width of [390, 768, 1280]) {
          await this.page.setViewportSize({ width, height: width < 500 ? 844 : width < 1000 ? 1024 : 860 })
          await this.page.waitForTimeout(350)
          await this.accessible(`${name} ${lang} ${theme} ${width}`)
          await this.shot(`${name}-${lang}-${theme}-${width}`)
        }
      }
    }
    await this.page.evaluate(async () => {
      localStorage.setItem('candor.language', 'en')
      localStorage.setItem('candor.theme', 'dark')
      await fetch(new URL('api/v1/account', document.baseURI), { method: 'PATCH', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ language: 'en', theme: 'dark' }) })
    })
    await this.page.setViewportSize({ width: 1280, height: 860 })
    await this.page.reload()
    await ready()
  }
}

/** What the journey cost: written for people and machines. */
export class Ledger {
  readonly lines: { step: string; ms: number; clicks: number; keys: number }[] = []
  constructor(readonly person: () => Person) {}
  async step<T>(step: string, work: () => Promise<T>): Promise<T> {
    const p = this.person()
    const [began, clicks, keys] = [performance.now(), p.clicks, p.keys]
    const result = await work()
    this.lines.push({ step, ms: Math.round(performance.now() - began), clicks: p.clicks - clicks, keys: p.keys - keys })
    return result
  }
  write() {
    writeFileSync(join(out, 'journey.json'), JSON.stringify(this.lines, null, 2) + '\n')
    for (const l of this.lines) console.log(`${l.step.padEnd(44)} ${String(l.ms).padStart(6)} ms  ${l.clicks} clicks  ${l.keys} keys`)
  }
}
