// Looking at a page: does it pass axe, does it speak one language, and pictures of it.

import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { keys } from './person.js'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const out = resolve(import.meta.dirname, '../out')
const book = resolve(import.meta.dirname, '../../../guide/pictures')
export const pictures = process.env.PICTURES === '1'
mkdirSync(out, { recursive: true })

const standards = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']
let looked = 0
export const axeRuns = () => looked

/** Rules of WCAG 2.2 A and AA that the page breaks, as sentences; none is what we want. */
export async function barriers(page) {
  looked++
  // A colour on its way from one to the other is neither; what loops, such as the dot of live, is not waited for.
  await page.evaluate(() => Promise.race([Promise.allSettled(document.getAnimations().filter((a) => a.effect?.getComputedTiming().endTime < 2000).map((a) => a.finished)), new Promise((done) => setTimeout(done, 2000))]).then(() => undefined))
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe)
  // A colour on its way to another is neither: what moves and ends is waited for.
  await page.evaluate(() => Promise.all(document.getAnimations().filter((a) => a.effect?.getComputedTiming().endTime !== Infinity).map((a) => a.finished.catch(() => {}))))
  const found = await page.evaluate((tags) => window.axe.run(document, { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] }).then((r) => r.violations.map((v) => ({ id: v.id, help: v.help, nodes: v.nodes.slice(0, 3).map((n) => `${n.html.slice(0, 160)} ${n.any[0]?.message ?? n.all[0]?.message ?? ''}`) }))), standards)
  return found.map((v) => `${v.id}: ${v.help}\n      ${v.nodes.join('\n      ')}`)
}

const rawKey = new RegExp(`(?<![\\w/.-])(?:${[...new Set(keys.map((k) => k.split('.')[0]))].join('|')})\\.[a-z][\\w.]+`)

/** What a page says that is no sentence: keys of the catalogue, unfilled arguments. */
export async function rawWords(page) {
  const text = await page.evaluate(() => {
    const named = [...document.querySelectorAll('[aria-label],[title],[placeholder],[alt]')].flatMap((e) => ['aria-label', 'title', 'placeholder', 'alt'].map((a) => e.getAttribute(a) ?? ''))
    const code = new Set([...document.querySelectorAll('code')].map((c) => c.textContent))
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    const said = []
    for (let n = walk.nextNode(); n; n = walk.nextNode()) if (!n.parentElement?.closest('code, script, style, noscript') && !code.has(n.textContent)) said.push(n.textContent)
    return [document.title, ...said, ...named].filter((s) => s?.trim())
  })
  return text.filter((s) => rawKey.test(s) || /\{\w*\}|undefined|NaN|\[object|Invalid Date/.test(s))
}

/** English left on a page that speaks Chinese. Names, formats and what people typed are let through. */
export async function leftEnglish(page, allowed) {
  const text = await page.evaluate(() => {
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    const said = []
    for (let n = walk.nextNode(); n; n = walk.nextNode()) {
      const box = n.parentElement
      if (!box || box.closest('code, script, style, noscript, [lang="en"]') || !box.checkVisibility()) continue
      said.push(n.textContent.trim())
    }
    for (const e of document.querySelectorAll('[aria-label],[placeholder]')) said.push(e.getAttribute('aria-label') ?? '', e.getAttribute('placeholder') ?? '')
    return said.filter(Boolean)
  })
  return text.filter((s) => /[A-Za-z]{2,}/.test(s.replace(allowed, '')) && !/[\u4e00-\u9fff]/.test(s.replace(allowed, '')))
}

const widths = { 390: 844, 768: 1024, 1280: 900 }

/** Pictures of a page in both themes and three widths; the person's theme must be "as the system". */
export async function portraits(page, name, lang, check) {
  const before = page.viewportSize()
  for (const theme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: theme })
    for (const [width, height] of Object.entries(widths)) {
      await page.setViewportSize({ width: Number(width), height })
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))
      await page.screenshot({ path: `${out}/${name}-${lang}-${theme}-${width}.png`, animations: 'disabled', fullPage: true })
      await check?.(theme, Number(width))
    }
  }
  await page.emulateMedia({ colorScheme: 'light' })
  await page.setViewportSize(before)
}

/** One picture for README and guide. */
export async function forTheBook(page, name, { theme = 'light', width = 1280, height = 800 } = {}) {
  if (!pictures) return
  mkdirSync(book, { recursive: true })
  const before = page.viewportSize()
  await page.emulateMedia({ colorScheme: theme })
  await page.setViewportSize({ width, height })
  await page.waitForTimeout(600)
  const whole = `${out}/book-${name}.png`
  await page.screenshot({ path: whole, animations: 'disabled' })
  // 256 colours do, and a clone stays small.
  execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', whole, '-vf', 'split[a][b];[a]palettegen=max_colors=256:stats_mode=single[p];[b][p]paletteuse=dither=bayer:bayer_scale=4', `${book}/${name}.png`])
  if (statSync(`${book}/${name}.png`).size > 300_000) throw new Error(`guide/pictures/${name}.png is larger than 300 kB`)
  await page.emulateMedia({ colorScheme: 'light' })
  await page.setViewportSize(before)
}
