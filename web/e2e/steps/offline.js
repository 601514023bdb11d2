// Without a network: the app opens, says so, and has kept nothing but itself.

import { expect, same } from '../lib/tests.js'
import { barriers, leftEnglish, portraits, rawWords } from '../lib/look.js'

/** Everything in Cache Storage, as addresses below the app. */
const kept = (me) =>
  me.page.evaluate(async () => {
    const all = []
    for (const name of await caches.keys()) for (const { url } of await (await caches.open(name)).keys()) all.push(url.slice(document.baseURI.length))
    return all.sort()
  })

export function offline({ test }) {
  test('a session is found without the mark beside it', async ({ me }) => {
    await me.page.goto(`${me.address}/`)
    await me.test('tile').first().waitFor()
    await me.page.evaluate(() => localStorage.removeItem('candor.here'))
    await me.page.reload()
    await me.test('tile').first().waitFor()
    same(await me.page.evaluate(() => localStorage.getItem('candor.here')), 'yes', 'the mark')
  })

  test('the worker keeps the app itself; no answer, no picture, no footage', async ({ me, about }) => {
    await me.page.evaluate(() => localStorage.setItem('candor.language', 'zh-Hans'))
    await me.page.reload() // the words of both languages travel
    await me.test('tile').first().waitFor()
    await me.until('the page is kept', async () => (await kept(me)).includes(''))
    await me.page.goto(`${me.address}/cameras/${about.demo}`)
    await me.plays(me.page.locator('.stage video:not(.hidden)'), 'live')
    await me.page.goto(`${me.address}/events`)
    await me.test('filters').or(me.test('no-events')).first().waitFor()
    await me.page.goto(`${me.address}/`)
    await me.test('tile').first().waitFor()
    const made = await me.page.evaluate(() => [...document.querySelectorAll('script[src], link[rel=stylesheet]')].map((e) => (e.src || e.href).slice(document.baseURI.length)).filter((p) => p.startsWith('assets/')))
    expect(made.length > 1, `the page is made of ${made}`)
    await me.until('what the page is made of', async () => {
      const all = await kept(me)
      return made.every((m) => all.includes(m))
    })
    const all = await kept(me)
    same(all.filter((k) => !['', 'theme.js'].includes(k) && !/^assets\/[\w.-]+-[\w-]{8}\.(js|css)$/.test(k)), [], 'kept beside the app itself')
    const page = await me.page.evaluate(async () => (await caches.match(document.baseURI)).text())
    expect(page.includes('id="app"') && !page.includes('Ada'), 'the page that is kept is not the bare shell')
    return `${all.length} files`
  })

  test('offline: the app opens and says so in both languages, and goes on by itself', async ({ me, about }) => {
    me.allow(/ERR_INTERNET_DISCONNECTED/)
    await me.context.setOffline(true)
    const wrong = []
    for (const lang of ['en', 'zh-Hans']) {
      await me.page.evaluate((lang) => localStorage.setItem('candor.language', lang), lang)
      await me.page.goto(`${me.address}/cameras/${about.demo}`)
      me.lang = lang
      await me.test('unreachable').getByText(me.say('offline.title'), { exact: true }).waitFor()
      await portraits(me.page, 'offline', lang, async (theme, width) => width !== 768 && wrong.push(...(await barriers(me.page)).map((b) => `${theme} ${width}: ${b}`)))
      wrong.push(...(await rawWords(me.page)))
      if (lang !== 'en') wrong.push(...(await leftEnglish(me.page, /Candor/g)))
      same(await me.page.locator('img, video, canvas').count(), 0, 'pictures without a network')
    }
    same(wrong, [], 'barriers, raw and foreign words')
    await me.tap(me.button(me.say('action.retry')))
    await me.test('unreachable').getByText(me.say('offline.title'), { exact: true }).waitFor()
    await me.context.setOffline(false)
    me.lang = 'en'
    await me.plays(me.page.locator('.stage video:not(.hidden)'), 'live')
    await me.until('its own language', () => me.page.evaluate(() => document.documentElement.lang === 'en'))
  })

  test('a newer app is taken at once, a newer worker when the last page is closed, and what the older kept goes', async ({ me }) => {
    await me.page.evaluate(async () => {
      const [shell] = await caches.keys()
      const old = new Response('<!doctype html><title>of last week</title>', { headers: { 'Content-Type': 'text/html' } })
      await (await caches.open(shell)).put(document.baseURI, old)
      await (await caches.open('candor-shell-0')).put(document.baseURI, new Response('of last year'))
    })
    await me.page.goto(`${me.address}/`)
    await me.test('tile').first().waitFor()
    await me.until('the page is kept anew', () => me.page.evaluate(async () => (await (await (await caches.open('candor-shell-1')).match(document.baseURI)).text()).includes('id="app"')))
    // From a page without the app, which would register its own worker meanwhile.
    me.allow(/favicon\.ico/) // which a browser looks for beside a bare picture
    const bare = () => me.page.goto(`${me.address}/icon.svg`)
    // A browser that is left without a page changes workers; a page that opens just then waits in vain for the older one.
    const change = async (script) => {
      await bare()
      await me.page.evaluate((script) => navigator.serviceWorker.register(script).then(() => undefined), script)
      await me.until('the newer one waits', () => me.page.evaluate(async () => !!(await navigator.serviceWorker.getRegistration()).waiting))
      await me.page.goto('about:blank')
      await me.page.waitForTimeout(1500)
      await bare()
    }
    await change('sw.js?next')
    await me.until('the cache of last year is gone', () => me.page.evaluate(async () => (await caches.keys()).join() === 'candor-shell-1'))
    await change('sw.js')
    await me.page.goto(`${me.address}/`)
    await me.test('tile').first().waitFor()
  })
}
