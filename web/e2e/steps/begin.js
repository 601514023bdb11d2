// A newcomer sets Candor up with a mouse, and watches.

import { readFile } from 'node:fs/promises'
import { expect, same, atMost } from '../lib/tests.js'
import { saying } from '../lib/person.js'
import { barriers, forTheBook, portraits, rawWords } from '../lib/look.js'
import { probe } from '../lib/processes.js'

export const owner = { name: 'Ada Bergmann', email: 'ada@example.org', password: 'a quiet garden behind the house' }

export function begin({ test }) {
  test('set-up in two languages, two themes, three widths, without barriers', async ({ me }) => {
    await me.page.getByRole('heading', { name: me.say('setup.title') }).waitFor()
    const wrong = []
    for (const lang of ['en', 'zh-Hans']) {
      await me.page.locator(`button[lang=${lang}]`).click()
      await me.page.locator(`html[lang=${lang}]`).waitFor({ state: 'attached' })
      await portraits(me.page, 'setup', lang, async (theme, width) => {
        if (width !== 768) wrong.push(...(await barriers(me.page)).map((b) => `${theme} ${width}: ${b}`))
      })
      wrong.push(...(await rawWords(me.page)))
    }
    await me.page.locator('button[lang=en]').click()
    await forTheBook(me.page, 'setup', { height: 900 })
    same(wrong, [], 'barriers and raw words')
  })

  test('nothing is ticked in advance; yes to recording and a first camera in 3 taps @P240', async ({ me, server }) => {
    same(await me.page.locator('input:checked').count(), 0, 'answers ticked in advance')
    const consent = await me.page.evaluate(() => fetch('api/v1/setup').then((r) => r.json()))
    await me.page.getByText(consent.texts.recording.text.split('\n')[0].slice(0, 60)).first().waitFor()
    await me.page.locator('#setup-code').fill(server.code.toLowerCase())
    await me.field('account.name').fill(owner.name)
    await me.field('account.email').fill(owner.email)
    await me.field('account.password').fill(owner.password)
    me.count()
    await me.tap(me.page.locator('input[name=recording][value=given]'))
    await me.tap(me.page.locator('input[name=demo][value=demo]'))
    await me.tap(me.button(me.say('setup.create')))
    await me.test('tile').waitFor()
    atMost(me.taps, 4, 'H6, taps to the first camera')
    same(await me.context.grantedPermissions?.() ?? [], [], 'permissions asked for')
    return `${me.taps} taps`
  })

  test('Home: a still without a tap, then live over it', async ({ me }) => {
    const tile = me.test('tile')
    await me.plays(tile.locator('video'), 'the tile')
    me.count()
    await me.page.reload()
    await me.until('a still', () => tile.locator('img').evaluate((i) => i.naturalWidth > 0).catch(() => false))
    const is = await me.plays(tile.locator('video'), 'the tile')
    await me.until('the still has faded', () => tile.evaluate((t) => t.dataset.phase === 'live' && getComputedStyle(t.querySelector('img')).opacity === '0'))
    same(me.taps, 0, 'H2, taps to the stills')
    await me.test('health').getByText(saying('health.allRecording', 'en')).waitFor()
    return `${is.n} pictures decoded`
  })

  test('one tap: the camera, live over WebRTC, and the page says why', async ({ me, about }) => {
    me.count()
    await me.tap(me.page.locator('[data-test=tile] a'))
    const video = me.page.locator('.stage video:not(.hidden)')
    await me.plays(video, 'live')
    same(me.taps, 1, 'H2, taps to live')
    const stage = me.test('stage')
    same(await stage.getAttribute('data-transport'), 'whep', 'the way')
    same(await video.evaluate((v) => v.srcObject instanceof MediaStream), true, 'a WebRTC stream')
    await me.until('the cover is off', async () => (await stage.getAttribute('data-covered')) === 'false')
    await me.tap(me.test('how'))
    const why = await me.test('how-text').innerText()
    expect(why.includes(me.say('live.how.whep')) && why.includes(me.say('live.how.best')), `it says “${why}”`)
    await me.key('Escape')
    about.demo = new URL(me.page.url()).pathname.split('/').pop()
    return `first picture after ${await stage.getAttribute('data-first')} ms`
  })

  test('sound on and off', async ({ me }) => {
    const video = me.page.locator('.stage video:not(.hidden)')
    expect(await video.evaluate((v) => v.muted), 'silent at first')
    await me.tap(me.test('sound'))
    await me.until('sound on', () => video.evaluate((v) => !v.muted && v.srcObject.getAudioTracks().some((t) => t.readyState === 'live' && !t.muted)))
    // What comes out is the camera's sound, not silence.
    const loud = await video.evaluate(async (v) => {
      const ctx = new AudioContext()
      const ear = ctx.createAnalyser()
      ctx.createMediaStreamSource(v.srcObject).connect(ear)
      const samples = new Float32Array(ear.fftSize)
      let loudest = 0
      for (let i = 0; i < 100 && loudest < 0.002; i++) {
        await new Promise((r) => setTimeout(r, 100))
        ear.getFloatTimeDomainData(samples)
        loudest = Math.max(loudest, ...samples.map(Math.abs))
      }
      await ctx.close()
      return loudest
    })
    expect(loud >= 0.002, `the loudest sample is ${loud}`)
    await me.tap(me.test('sound'))
    await me.until('sound off', () => video.evaluate((v) => v.muted))
  })

  test('quality SD, HD and Auto change the picture', async ({ me }) => {
    const menu = me.page.getByRole('combobox', { name: me.say('quality.title') })
    const video = () => me.page.locator('.stage video:not(.hidden)')
    const width = (want) => me.until(`pictures ${want} wide`, () => video().evaluate((v, want) => v.videoWidth === want && v.currentTime > 0, want))
    await menu.selectOption('sub')
    await width(384)
    await menu.selectOption('main')
    await width(768)
    await menu.selectOption('auto')
    await width(768)
    await me.plays(video(), 'live')
  })

  test('a snapshot stays on this machine @P058', async ({ me, folder }) => {
    const sent = []
    const listen = (r) => r.method() !== 'GET' && sent.push(r.url())
    me.page.on('request', listen)
    const [download] = await Promise.all([me.page.waitForEvent('download'), me.tap(me.test('snapshot'))])
    me.page.off('request', listen)
    same(download.suggestedFilename(), 'snapshot.jpg', 'its name says neither where nor when')
    const file = `${folder}/snapshot.jpg`
    await download.saveAs(file)
    const bytes = await readFile(file)
    expect(bytes[0] === 0xff && bytes[1] === 0xd8 && bytes.length > 5000, `a JPEG of ${bytes.length} bytes`)
    const is = await probe(file)
    same([is.width, is.height], [768, 432], 'its size')
    same(sent, [], 'what was sent')
  })

  test('full screen and out again', async ({ me }) => {
    await me.tap(me.test('full'))
    await me.until('full screen', () => me.page.evaluate(() => document.fullscreenElement?.classList.contains('stage')))
    await me.plays(me.page.locator('.stage video:not(.hidden)'), 'live')
    await me.tap(me.test('full'))
    await me.until('full screen left', () => me.page.evaluate(() => !document.fullscreenElement))
  })
}
