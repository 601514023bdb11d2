// What is held, who watched, and making it go away.

import { readFile } from 'node:fs/promises'
import { expect, same, atMost } from '../lib/tests.js'
import { saying } from '../lib/person.js'
import { forTheBook } from '../lib/look.js'
import { owner } from './begin.js'

const receiptFile = async (me, folder, name) => {
  const [download] = await Promise.all([me.page.waitForEvent('download'), me.tap(me.link(me.say('receipt.download')))])
  const file = `${folder}/${name}.json`
  await download.saveAs(file)
  return readFile(file, 'utf8')
}
const finished = (me) => me.test('receipt').getByRole('heading', { name: me.say('receipt.gone') }).waitFor({ timeout: 60_000 })

export function rights({ test }) {
  test('what is held about me: kind, count, size, age, purpose, who watched', async ({ me }) => {
    me.count()
    await me.go('nav.privacy')
    const held = me.test('held')
    await held.waitFor()
    atMost(me.taps, 2, 'P1, taps')
    for (const key of ['category.footage', 'category.identity', 'category.device', 'category.consent']) await held.getByText(me.say(key), { exact: false }).first().waitFor()
    const text = await held.innerText()
    expect(saying('held.oldest').test(text) && text.includes(me.say('purpose.recording')) && /\d/.test(text), `held: ${text}`)
    const log = await me.test('access').innerText()
    for (const key of ['access.do.watch', 'access.do.signIn']) expect(log.includes(me.say(key)) || key === 'access.do.signIn', `the log does not say “${me.say(key)}”`)
    await me.test('consents').getByText(me.say('consent.given')).first().waitFor()
    await forTheBook(me.page, 'privacy', { height: 900 })
    return `${me.taps} tap`
  })

  test('withdrawing is as easy as agreeing: the same place, no more taps', async ({ me, about }) => {
    await me.page.goto(`${me.address}/cameras/${about.street}/settings`)
    me.count()
    await me.tap(me.button(me.say('recording.allow')))
    await me.tap(me.page.getByRole('dialog').getByRole('button', { name: me.say('consent.recording.yes'), exact: true }))
    await me.test('withdraw').waitFor()
    const toGive = me.taps
    await me.until('Street is recorded', () => me.page.evaluate((id) => fetch(`api/v1/cameras/${id}`).then((r) => r.json()).then((c) => c.recording.actual), about.street))
    me.count()
    await me.tap(me.test('withdraw'))
    await me.tap(me.test('confirm'))
    await me.test('receipt').waitFor()
    atMost(me.taps, toGive, 'P3, taps to withdraw (giving took as many)')
    await finished(me)
    const text = await me.test('receipt').innerText()
    expect(text.includes(me.say('receipt.what.recording')), `the receipt says ${text}`)
    const now = new Date().toISOString()
    const asked = await me.context.request.get(`${me.address}/api/v1/cameras/${about.street}/timeline?from=${now.slice(0, 10)}T00:00:00Z&to=${now}`)
    same([asked.status(), (await asked.json()).code], [403, 'consent.needed'], 'the API, asked for the footage')
    return `${toGive} taps to give, ${me.taps} to withdraw`
  })

  test('live goes on without recording', async ({ me, about }) => {
    await me.page.goto(`${me.address}/cameras/${about.street}`)
    await me.plays(me.page.locator('.stage video:not(.hidden)'), 'live')
    same(await me.test('recording-state').innerText(), me.say('recording.off'), 'recording')
  })

  test('delete a camera: receipt, and nothing of it opens any more', async ({ me, about, folder }) => {
    const ids = about.hall
    const still = `${me.address}/api/v1/cameras/${ids}/still.jpg`
    same((await me.context.request.get(still)).status(), 200, 'its still before')
    await me.page.goto(`${me.address}/cameras/${ids}`)
    await me.tap(me.link(me.say('camera.settings')))
    await me.tap(me.test('remove'))
    const dialog = await me.dialog()
    await me.expecting(/status of 40[13]|status of 422/, async () => {
      await me.type('not my password')
      await me.tap(me.test('confirm'))
      await dialog.getByRole('alert').waitFor()
    })
    await dialog.getByLabel(me.say('delete.password')).fill(owner.password)
    await me.tap(me.test('confirm'))
    await me.test('receipt').waitFor()
    await finished(me)
    const text = await receiptFile(me, folder, 'camera')
    expect(JSON.parse(text).keys_destroyed > 0, `the receipt counts ${text}`)
    for (const secret of ['Hall', owner.email, owner.name, ids]) expect(!text.includes(secret), `the receipt names ${secret}`)
    for (const path of ['still.jpg', 'timeline?from=2026-01-01T00:00:00Z&to=2027-01-01T00:00:00Z', 'footage.mp4?from=2026-01-01T00:00:00Z&to=2027-01-01T00:00:00Z'])
      same((await me.context.request.get(`${me.address}/api/v1/cameras/${ids}/${path}`)).status(), 404, `${path} afterwards`)
    about.receipt = new URL(me.page.url()).pathname
    await me.go('nav.home')
    await me.test('tile').first().waitFor()
    same(await me.test('tile').count(), 2, 'tiles')
  })

  test('a camera that is gone looks absent', async ({ me, about }) => {
    await me.page.goto(`${me.address}/cameras/${about.hall}`)
    await me.page.getByText(me.say('camera.gone')).waitFor()
    await me.tap(me.button(me.say('nav.home')))
    await me.test('tile').first().waitFor()
  })
}

export function goodbye({ test }) {
  test('delete the account: 3 taps and the password', async ({ me, about }) => {
    me.count()
    await me.go('nav.privacy')
    await me.tap(me.test('close-account'))
    await me.dialog()
    await me.type(owner.password)
    await me.tap(me.test('confirm'))
    await me.test('receipt').waitFor()
    atMost(me.taps, 3, 'P4, taps')
    await finished(me)
    same(await me.test('receipt').getByText(me.say('receipt.what.account')).count(), 1, 'what the receipt is for')
    about.last = new URL(me.page.url()).pathname
    return `${me.taps} taps`
  })

  test('the receipt opens without signing in, and names nobody', async ({ me, about, folder, stranger }) => {
    const other = await stranger(about.last)
    await other.test('receipt').waitFor()
    await finished(other)
    const text = await receiptFile(other, folder, 'account')
    for (const secret of [owner.email, owner.name, 'Street', about.demo]) expect(!text.includes(secret), `the receipt names ${secret}`)
    same(await other.context.cookies(), [], 'cookies of somebody who only reads a receipt')
    await other.page.goto(`${other.address}${about.receipt}`)
    await finished(other)
    await about.portrait?.(other, 'receipt-open')
    same(other.complaints, [], 'console')
    await other.close()
    same((await me.context.request.get(`${me.address}/api/v1/cameras`)).status(), 401, 'the old cookie')
  })

  test('set-up is offered again', async ({ me }) => {
    await me.page.goto(me.address)
    await me.page.getByRole('heading', { name: me.say('setup.title') }).waitFor()
    same(await me.page.evaluate(() => Object.keys(localStorage).filter((k) => !k.startsWith('candor.'))), [], 'left in the browser')
  })
}
