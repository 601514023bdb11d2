// Every page in both languages, both themes and three widths; settings, sessions, signing out and in.

import { expect, same } from '../lib/tests.js'
import { barriers, forTheBook, leftEnglish, portraits, rawWords } from '../lib/look.js'
import { owner } from './begin.js'

// What Chinese pages rightly say in Latin letters: names people gave, formats, units, keys.
// What a found camera calls itself is its own affair.
const latin = /Candor( demo camera)?|demo · [\d.:]+|Gil|Ada Bergmann|ada@example\.org|Hall|Street|Demo camera|English|WebRTC|MSE|JPEG|MP4|RTSPS?|rtsps?:\/\/\S*|H\.26[45]|Opus|AAC|TLS|PDF|LIVE|HD|SD|ok|Chrome|Chromium|Linux|HeadlessChrome|JSON|SHA-256|[KMG]?B|ms|fps|Baseline|Main|High|avc1\S*|Shift|Ctrl|Home|E[Nn][Dd]|Esc|Tab|Enter|CSV|IP|URL|Europe\/Berlin|kB\/s|Mbit\/s|candor \S+/g

async function settle(me) {
  await me.page.locator('h1').first().waitFor({ state: 'attached' })
  await me.until('the page is complete', () => me.page.evaluate(() => !document.querySelector('.skeleton') && document.fonts.status === 'loaded'), 20_000).catch(() => {})
}

const places = (about) => [
  ['home', ''],
  ['camera', `cameras/${about.demo}`],
  ['camera-settings', `cameras/${about.demo}/settings`],
  ['add-camera', 'cameras/add'],
  ['people', 'people'],
  ['privacy', 'privacy'],
  ['consents', 'privacy/consents'],
  ['settings', 'settings'],
  ['notifications', 'notifications'],
  ['policy', 'policy'],
  ['promises', 'promises'],
  ['notices-none', 'notices'],
  ['receipt', about.receipt.slice(1)],
  ['missing', 'no/such/page'],
]

export function pages({ test }) {
  test('appearance: light, dark, as the system', async ({ me }) => {
    await me.go('nav.settings')
    const theme = () => me.page.evaluate(() => document.documentElement.dataset.theme)
    await me.tap(me.page.locator('input[name=theme][value=dark]'))
    same(await theme(), 'dark', 'theme')
    await me.page.reload()
    await me.page.getByRole('heading', { name: me.say('settings.title') }).waitFor()
    same(await theme(), 'dark', 'theme after a reload')
    await me.tap(me.page.locator('input[name=theme][value=system]'))
    same(await theme(), 'light', 'theme of the system')
  })

  for (const lang of ['en', 'zh-Hans'])
    test(`every page in ${lang === 'en' ? 'English' : 'Chinese'}: no barrier, no raw word`, async ({ me, about }) => {
      await me.go('nav.settings')
      await me.tap(me.page.locator(`input[name=language][value=${lang}]`))
      await me.page.locator(`html[lang=${lang}]`).waitFor({ state: 'attached' })
      me.lang = lang
      const wrong = []
      for (const [name, path] of places(about)) {
        await me.page.goto(`${me.address}/${path}`)
        await settle(me)
        if (name === 'camera') await me.plays(me.page.locator('.stage video:not(.hidden)'), 'live')
        if (name === 'home') for (const v of await me.page.locator('[data-test=tile] video').all()) await me.plays(v, 'a tile')
        if (name === 'notifications') {
          await me.test('rules').locator('summary').first().click()
          await me.test('change-hours').first().click()
          await me.test('timed').first().check()
        }
        wrong.push(...(await rawWords(me.page)).map((s) => `${name}: “${s}”`))
        if (lang !== 'en') wrong.push(...(await leftEnglish(me.page, latin)).map((s) => `${name}: English “${s}”`))
        if (name === 'camera' && lang === 'en') await forTheBook(me.page, 'timeline-390', { theme: 'dark', width: 390, height: 844 })
        await portraits(me.page, name, lang, async (theme, width) => {
          const sideways = await me.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
          if (sideways > 0) wrong.push(`${name} ${width}: ${sideways} px too wide`)
          // Both themes on the phone and on the desk, each pair in one of the languages.
          if ((lang === 'en') === ((theme === 'light') === (width === 1280)) && width !== 768) wrong.push(...(await barriers(me.page)).map((b) => `${name} ${theme} ${width}: ${b}`))
        })
      }
      same([...new Set(wrong)], [], 'barriers, raw words, foreign words')
      return `${places(about).length} pages × 6`
    })

  test('dialogs are without barriers, too', async ({ me, about }) => {
    await me.page.goto(`${me.address}/cameras/${about.demo}`)
    await me.plays(me.page.locator('.stage video:not(.hidden)'), 'live')
    const wrong = []
    for (const [open, name] of [
      ['g', 'go-to-time'],
      ['?', 'keys'],
    ]) {
      await me.key(open)
      await me.dialog(open === 'g')
      await settle(me)
      await portraits(me.page, name, me.lang, async (theme, width) => width !== 768 && wrong.push(...(await barriers(me.page)).map((b) => `${name} ${theme} ${width}: ${b}`)))
      wrong.push(...(await rawWords(me.page)), ...(await leftEnglish(me.page, latin)))
      await me.key('Escape')
      await me.page.getByRole('dialog').waitFor({ state: 'detached' })
    }
    await me.page.goto(`${me.address}/cameras/${about.demo}/settings`)
    await me.tap(me.test('remove'))
    await me.page.getByRole('dialog').waitFor()
    await portraits(me.page, 'delete-camera', me.lang, async (theme, width) => width !== 768 && wrong.push(...(await barriers(me.page)).map((b) => `delete ${theme} ${width}: ${b}`)))
    await me.key('Escape')
    await me.page.getByRole('dialog').waitFor({ state: 'detached' })
    same([...new Set(wrong)], [], 'barriers and raw words')
  })

  test('another browser signs in, is seen, and is signed out from here', async ({ me, stranger }) => {
    await me.go('nav.settings')
    await me.tap(me.page.locator('input[name=language][value=en]'))
    await me.page.locator('html[lang=en]').waitFor({ state: 'attached' })
    me.lang = 'en'
    const other = await stranger('/')
    await other.page.getByRole('heading', { name: other.say('signin.title') }).waitFor()
    for (const lang of ['en', 'zh-Hans']) {
      await other.page.locator(`button[lang=${lang}]`).click()
      await other.page.locator(`html[lang=${lang}]`).waitFor({ state: 'attached' })
      const wrong = []
      await portraits(other.page, 'signin', lang, async (theme, width) => width !== 768 && wrong.push(...(await barriers(other.page))))
      same(wrong, [], 'barriers of sign-in')
    }
    await other.page.locator('button[lang=en]').click()
    await other.field('account.email').fill(owner.email)
    await other.field('account.password').fill('not this one at all')
    await other.expecting(/status of 40[13]|status of 422/, async () => {
      await other.button(other.say('signin.enter')).click()
      await other.page.getByRole('alert').waitFor()
    })
    await other.field('account.password').fill(owner.password)
    await other.button(other.say('signin.enter')).click()
    await other.test('tile').first().waitFor()
    await me.page.reload()
    await me.until('two sessions', async () => (await me.test('sessions').getByRole('listitem').count()) === 2)
    await me.tap(me.test('sessions').getByRole('button', { name: me.say('settings.signOut') }))
    await other.page.getByText(other.say('signin.ended')).waitFor()
    expect((await other.test('tile').count()) === 0, 'nothing is shown any more')
    same(other.strangers, [], 'requests elsewhere')
    await other.close()
  })

  test('sign out, sign in', async ({ me }) => {
    await me.tap(me.test('signout'))
    await me.page.getByRole('heading', { name: me.say('signin.title') }).waitFor()
    await me.page.reload()
    await me.page.getByRole('heading', { name: me.say('signin.title') }).waitFor()
    await me.field('account.email').fill(owner.email)
    await me.field('account.password').fill(owner.password)
    await me.key('Enter')
    await me.page.getByRole('heading', { name: me.say('settings.title') }).waitFor()
    await me.go('nav.home')
    await me.plays(me.test('tile').first().locator('video'), 'the tile')
  })
}

export function quiet({ test }) {
  test('no complaint in the console, no request elsewhere, one cookie @P220 @P221', async ({ me }) => {
    // What was taken back or deleted while it was on the screen is not there any more, and says so.
    const gone = (c) => /\b404\b/.test(c) && /\/api\/v1\/(whep\/|cameras\/[^/]+\/(still\.jpg|whep|mse))/.test(c)
    same([...new Set(me.complaints.filter((c) => !gone(c)))], [], 'console')
    same([...new Set(me.strangers)], [], 'requests elsewhere')
    same((await me.context.cookies()).filter((c) => c.name !== 'candor_session'), [], 'cookies')
  })
}
