// The journey of a newcomer, in a real browser against the real binary: from set-up to a deleted account.
import { readFileSync } from 'node:fs'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { open, type House } from './house.ts'
import { browser, Ledger, Person } from './person.ts'

const password = 'a calm control room'
let house: House
let other: House
let b: Browser
let p: Person
const ledger = new Ledger(() => p)
let camera = ''

const stage = () => p.at('stage')
const data = async (name: string) => (await stage().getAttribute(`data-${name}`)) ?? ''
const liveStage = () => p.page.waitForSelector('[data-test=stage][data-phase=live][data-covered=false]', { timeout: 30_000 })
const api = (path: string) => p.page.evaluate(async (path) => {
  const r = await fetch(new URL(`api/v1/${path}`, document.baseURI))
  return { status: r.status, body: (await r.json().catch(() => null)) as any }
}, path)

beforeAll(async () => {
  house = await open()
  other = await open('one-by-one-person-detection.mp4')
  b = await browser()
  p = await Person.arrive(b, house.address)
})
afterAll(async () => {
  ledger.write()
  await b?.close()
  await house?.stop()
  await other?.stop()
})

test('set-up asks about recording with nothing ticked, and a wrong code is told', async () => {
  await p.page.goto(house.address)
  await p.page.waitForSelector('#setup-code')
  expect(await p.page.locator('input:checked').count()).toBe(0)
  await p.accessible('set-up')
  await p.shot('setup')
  const fill = async (code: string) => {
    await p.fill('#setup-code', code)
    await p.fill('input[autocomplete=name]', 'Lin Wei')
    await p.fill('input[type=email]', 'lin@example.org')
    await p.fill('input[type=password]', password)
  }
  await fill('AAAA-BBBB-CCCC')
  await p.click('button[type=submit]')
  await p.page.waitForSelector('fieldset[aria-describedby]')
  await p.click('input[name=recording][value=given]')
  await p.click('input[name=demo][value=demo]')
  await p.click('button[type=submit]')
  await p.page.waitForSelector('#setup-code-error')
  await p.fill('#setup-code', house.code)
  await ledger.step('set up → Home', async () => {
    await p.click('button[type=submit]')
    await p.page.waitForSelector('[data-test=tile]')
  })
})

test('Home shows the still at once and goes live', async () => {
  await ledger.step('Home → live tile', () => p.page.waitForSelector('[data-test=tile][data-phase=live]', { timeout: 30_000 }))
  await ledger.step('reload → live tile', async () => {
    await p.page.reload()
    await p.page.waitForSelector('[data-test=tile][data-phase=live]', { timeout: 30_000 })
  })
  expect(await p.at('tile').count()).toBe(1)
  await p.everyWay('home', () => p.page.waitForSelector('[data-test=tile][data-phase=live]', { timeout: 30_000 }))
})

test('the camera is live, says how, and has sound, quality, full screen and a snapshot', async () => {
  await ledger.step('tile → live camera', async () => {
    await p.click('[data-test=tile] a')
    await liveStage()
  })
  camera = /cameras\/([^/?]+)/.exec(p.page.url())![1]!
  expect(await data('transport')).toBe('whep')
  await p.click(p.at('how'))
  expect(await p.at('how-text').textContent()).toContain('WebRTC')
  await p.press('Escape')
  await p.click(p.at('sound'))
  expect(await p.page.$eval('video', (v) => v.muted)).toBe(false)
  const [picture] = await Promise.all([p.page.waitForEvent('download'), p.click(p.at('snapshot'))])
  expect(picture.suggestedFilename()).toBe('snapshot.jpg')
  await p.click(p.at('full'))
  expect(await p.page.evaluate(() => !!document.fullscreenElement)).toBe(true)
  await p.click(p.at('full'))
  await p.page.locator('select').first().selectOption('sub')
  await liveStage()
  await p.page.locator('select').first().selectOption('auto')
  await liveStage()
  await p.everyWay('live', liveStage)
})

test('footage plays with sound, is found by a typed time, and Back returns to live', async () => {
  await p.page.waitForFunction(() => document.querySelectorAll('[data-test=footage-list] button').length > 0, null, { timeout: 60_000 })
  await p.page.waitForTimeout(12_000)
  await ledger.step('live → 5 s ago', async () => {
    await p.press('ArrowLeft')
    await p.page.waitForSelector('[data-test=stage][data-footage=playing]', { timeout: 30_000 })
  })
  const time = () => p.page.$$eval('video', (all) => Math.max(...all.map((v) => (v.paused ? 0 : v.currentTime))))
  const before = await time()
  await p.page.waitForTimeout(1500)
  expect(await time()).toBeGreaterThan(before)
  await p.page.goBack()
  await liveStage()

  const { body } = await api(`cameras/${camera}/timeline?from=${encodeURIComponent(new Date(Date.now() - 3_600_000).toISOString())}&to=${encodeURIComponent(new Date().toISOString())}`)
  const start = Date.parse(body.ranges.at(-1).from) + 2000
  const typed = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit', timeZone: 'Europe/Berlin' }).format(start)
  await ledger.step('a typed time → footage', async () => {
    await p.press('g')
    await p.page.waitForSelector('[role=dialog] input')
    await p.accessible('go to a time')
    await p.fill('[role=dialog] input', typed)
    await p.press('Enter')
    await p.page.waitForSelector('[data-test=stage][data-footage=playing]', { timeout: 30_000 })
  })
  expect(await p.page.locator('[role=slider]').getAttribute('aria-valuetext')).toContain('recorded')
  await p.press('k')
  await p.page.waitForSelector('[data-test=stage][data-footage=paused]')
})

test('a clip is cut and downloads as an MP4', async () => {
  await ledger.step('cut and download', async () => {
    await p.press('[')
    await p.press('ArrowRight')
    await p.page.waitForTimeout(700)
    await p.press(']')
    const [clip] = await Promise.all([p.page.waitForEvent('download'), p.click(p.at('download'))])
    const file = readFileSync(await clip.path())
    expect(file.subarray(4, 8).toString()).toBe('ftyp')
    expect(file.length).toBeGreaterThan(20_000)
  })
  await p.everyWay('footage', () => p.page.waitForSelector('[data-test=stage][data-footage=paused]', { timeout: 30_000 }))
  expect(p.page.url()).toContain('at=')
})

test('recording pauses at once and says so', async () => {
  await ledger.step('pause recording', async () => {
    await p.click('[data-test=recording] button[role=switch]')
    await p.page.waitForFunction(() => /paused/i.test(document.querySelector('[data-test=recording-state]')?.textContent ?? ''), null, { timeout: 10_000 })
  })
  await p.click('[data-test=recording] button[role=switch]')
  await p.page.waitForFunction(() => document.querySelector('[data-test=recording-state]')?.textContent?.trim() === 'Recording', null, { timeout: 20_000 })
})

test('a wrong address is told with what to try; a camera with B-frames goes by MSE', async () => {
  await p.page.goto(`${house.address}/cameras/add`)
  await p.fill('input[inputmode=url]', 'rtsp://127.0.0.1:1/nothing')
  await p.click(p.at('check'))
  await p.page.waitForSelector('[role=alert]', { timeout: 30_000 })
  await p.accessible('add camera, wrong address')
  await ledger.step('address → found', async () => {
    await p.fill('input[inputmode=url]', other.camera)
    await p.click(p.at('check'))
    await p.at('found').waitFor({ timeout: 30_000 })
  })
  expect(await p.at('found').textContent()).toContain('B-frames')
  expect(await p.page.locator('input:checked').count()).toBe(0)
  await p.shot('add', true)
  await p.fill('input[maxlength="60"]', 'Hallway')
  await p.click('input[name=recording][value=refused]')
  await ledger.step('add → live', async () => {
    await p.click(p.at('add'))
    await liveStage()
  })
  expect(await data('transport')).toBe('mse')
  await p.click(p.at('how'))
  expect(await p.at('how-text').textContent()).toContain('B-frames')
  expect(await p.at('recording-state').textContent()).toContain('Not recording')
})

test('privacy tells what is held, who watched and what was agreed to', async () => {
  await ledger.step('Home → Privacy', async () => {
    await p.click('nav a[href$="/privacy"]')
    await p.at('held').waitFor()
    await p.at('access').waitFor()
    await p.at('consents').waitFor()
  })
  expect(await p.at('held').textContent()).toContain('Footage')
  expect(await p.at('access').textContent()).toContain('watched live')
  expect(await p.at('consents').textContent()).toContain('Not allowed')
  await p.everyWay('privacy', () => p.at('access').waitFor())
})

test('settings keep language and theme, and list the sessions', async () => {
  await p.click('nav a[href$="/settings"]')
  await p.at('sessions').waitFor()
  await p.click('input[name=language][value=zh-Hans]')
  await p.page.waitForFunction(() => document.documentElement.lang === 'zh-Hans')
  await p.accessible('settings')
  await p.shot('settings', true)
  await p.click('input[name=language][value=en]')
  await p.page.waitForFunction(() => document.documentElement.lang === 'en')
  await p.page.goto(`${house.address}/policy`)
  await p.page.waitForSelector('article h2')
  await p.accessible('policy')
})

test('withdrawing recording destroys the footage and leaves a receipt that found nothing', async () => {
  await p.page.goto(`${house.address}/cameras/${camera}/settings`)
  const range = (await api(`cameras/${camera}/timeline?from=${encodeURIComponent(new Date(Date.now() - 3_600_000).toISOString())}&to=${encodeURIComponent(new Date().toISOString())}`)).body.ranges[0]
  await ledger.step('withdraw recording → receipt', async () => {
    await p.click(p.at('withdraw'))
    await p.click(p.at('confirm'))
    await p.at('receipt').waitFor({ timeout: 30_000 })
  })
  await p.page.getByText('Gone.').waitFor({ timeout: 60_000 })
  await p.accessible('receipt')
  await p.shot('receipt', true)
  const gone = await p.page.evaluate(async ([camera, from, to]) => (await fetch(new URL(`api/v1/cameras/${camera}/footage.mp4?from=${from}&to=${to}`, document.baseURI))).status, [camera, range.from, range.to])
  expect(gone).toBeGreaterThanOrEqual(400)
  await p.page.goto(`${house.address}/cameras/${camera}`)
  await liveStage()
  expect(await p.at('recording-state').textContent()).toContain('Not recording')
  expect(await p.at('footage-list').locator('button').count().catch(() => 0)).toBe(0)
})

test('a deleted camera is gone', async () => {
  await p.page.goto(`${house.address}/cameras/${camera}/settings`)
  await ledger.step('delete camera → receipt', async () => {
    await p.click(p.at('remove'))
    await p.fill('[role=dialog] input[type=password]', password)
    await p.click(p.at('confirm'))
    await p.at('receipt').waitFor({ timeout: 30_000 })
  })
  expect((await api(`cameras/${camera}`)).status).toBe(404)
  await p.page.goto(house.address)
  await p.page.waitForSelector('[data-test=tile]')
  expect(await p.at('tile').count()).toBe(1)
})

test('a deleted account opens nothing, and its receipt opens without it', async () => {
  await p.page.goto(`${house.address}/privacy`)
  await ledger.step('delete account → receipt', async () => {
    await p.click(p.at('close-account'))
    await p.fill('[role=dialog] input[type=password]', password)
    await p.click(p.at('confirm'))
    await p.at('receipt').waitFor({ timeout: 60_000 })
  })
  await p.page.getByText('Gone.').waitFor({ timeout: 60_000 })
  expect((await api('session')).status).toBe(401)
  expect((await api('cameras')).status).toBe(401)
  await p.page.goto(house.address)
  await p.page.waitForSelector('#setup-code, input[autocomplete=username]')
})

test('nothing was asked of anybody else, and the page complained of nothing', () => {
  expect(p.foreign).toEqual([])
  expect(p.complaints.filter((c) => !/Permissions-Policy/.test(c))).toEqual([])
})
