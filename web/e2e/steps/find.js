// Nobody knows an address: cameras are found in the network, by their make, and Home says how they are.

import { expect, same, atMost } from '../lib/tests.js'
import { barriers, forTheBook, portraits, rawWords } from '../lib/look.js'
import { foreignPassword, foreignUser } from '../lib/processes.js'
import { owner } from './begin.js'

const remove = (me, id, password) =>
  me.page.evaluate(([id, password]) => fetch(`/api/v1/cameras/${id}`, { method: 'DELETE', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ password }) }).then((r) => r.ok), [id, password])

export function find({ test }) {
  test('a camera on the network is found and added in 4 taps, without an address typed @P023', async ({ me }) => {
    await me.go('nav.home')
    await me.test('tile').first().waitFor()
    const before = await me.test('tile').count()
    me.count()
    const began = performance.now()
    await me.tap(me.link(me.say('camera.add')))
    const demo = me.page.locator('[data-test=discovered][data-demo=true]')
    await me.until('the camera answers the search', async () => {
      if (await demo.count()) return true
      if (await me.test('search').count()) await me.test('search').click() // a datagram may be lost
      return false
    }, 60_000)
    expect((await demo.innerText()).includes(me.say('add.added')), 'it is said to be added already')
    await forTheBook(me.page, 'find-camera', { height: 760 })
    await me.tap(demo)
    await me.test('found').waitFor()
    await me.until('the cursor is in the name', () => me.page.evaluate(() => document.activeElement?.id === 'camera-name'))
    same(await me.page.locator('#camera-name').inputValue(), 'Candor demo camera', 'the name it gives itself')
    await me.type('Found') // over the marked name
    await me.tap(me.page.locator('input[name=recording][value=refused]'))
    await me.tap(me.test('add'))
    await me.page.getByRole('heading', { name: 'Found', exact: true }).waitFor()
    atMost(me.taps, 4, 'H6, taps')
    const { taps } = me
    const took = (performance.now() - began) / 1000
    const id = new URL(me.page.url()).pathname.split('/').pop()
    await me.plays(me.page.locator('.stage video:not(.hidden)'), 'live')
    same(await me.page.evaluate((id) => fetch(`/api/v1/cameras/${id}`).then((r) => r.json()).then((c) => c.demo), id), true, 'it is the demo camera')
    await me.go('nav.home')
    expect(await remove(me, id, owner.password), 'it is removed again')
    await me.until('the tile is gone', async () => (await me.test('tile').count()) === before)
    return `${taps} taps, ${took.toFixed(0)} s`
  })

  test('by brand: the usual addresses, a note, and a sentence when none fits', async ({ me, foreign }) => {
    await me.tap(me.link(me.say('camera.add')))
    await me.tap(me.test('way-brand'))
    await me.until('the makes are there', async () => (await me.test('brand').locator('option').count()) > 10)
    await me.test('brand').selectOption('unifi')
    await me.test('note').waitFor()
    expect((await me.test('try').count()) === 0, 'UniFi has no usual address to try')
    await me.test('brand').selectOption('tapo')
    same(await me.test('note').innerText(), me.say('brand.note.tapo'), 'the note')
    await me.field('add.host').fill(`127.0.0.1:${foreign.port}`)
    await me.page.getByLabel(me.say('add.username')).fill(foreignUser)
    await me.page.getByLabel(me.say('add.password')).fill(foreignPassword)
    await me.expecting(/status of 422/, async () => {
      await me.test('try').click()
      await me.page.getByRole('alert').waitFor()
    })
    const code = await me.page.getByRole('alert').locator('code').textContent()
    expect(code.startsWith('camera.no_path '), `it says ${code}`)
    same(await me.field('add.host').inputValue(), `127.0.0.1:${foreign.port}`, 'nothing is to be typed again')
  })

  test('the ways to add a camera without barriers, in two languages', async ({ me }) => {
    const wrong = []
    for (const lang of ['en', 'zh-Hans']) {
      await me.page.evaluate((lang) => fetch('/api/v1/account', { method: 'PATCH', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ language: lang }) }), lang)
      await me.page.reload()
      await me.page.locator(`html[lang=${lang}]`).waitFor({ state: 'attached' })
      for (const way of ['network', 'brand']) {
        await me.test(`way-${way}`).click()
        if (way === 'network') await me.test('search').waitFor()
        else await me.test('brand').waitFor()
        await portraits(me.page, `add-${way}`, lang, async (theme, width) => {
          if (width === 390) wrong.push(...(await barriers(me.page)).map((b) => `${way} ${lang} ${theme}: ${b}`))
        })
        wrong.push(...(await rawWords(me.page)))
      }
    }
    await me.page.evaluate(() => fetch('/api/v1/account', { method: 'PATCH', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ language: 'en' }) }))
    await me.page.reload()
    await me.page.locator('html[lang=en]').waitFor({ state: 'attached' })
    same(wrong, [], 'barriers and raw words')
  })

  test('Home says which camera is not recorded, why, and what to try', async ({ me }) => {
    const hash = await me.page.evaluate(() => fetch('/api/v1/purposes').then((r) => r.json()).then((all) => all.find((p) => p.id === 'recording').hash))
    const id = await me.page.evaluate(
      (hash) => fetch('/api/v1/cameras', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ name: 'Shed', address: 'rtsp://127.0.0.1:9/', recording: 'given', recording_text_hash: hash }) }).then((r) => r.json()).then((c) => c.id),
      hash,
    )
    await me.go('nav.home')
    const strip = me.test('health')
    me.allow(/status of 503.*still\.jpg/) // nobody has ever seen the shed
    await me.until('it is named', async () => /not recording: .*Shed/.test(await strip.innerText()))
    const tile = me.test('tile').filter({ hasText: 'Shed' })
    await tile.getByRole('button', { name: me.say('tile.why') }).click()
    await tile.getByText(me.say('problem.camera.refused').split('. ')[1].slice(0, 40)).waitFor()
    await me.context.grantPermissions(['clipboard-read', 'clipboard-write'])
    await me.test('copy-report').click()
    const text = await me.until('the report', () => me.page.evaluate(() => navigator.clipboard.readText()))
    await me.context.clearPermissions()
    expect(text.includes('camera.refused') && !text.includes('Shed') && !text.includes('127.0.0.1'), `the report says ${text}`)
    same(await barriers(me.page), [], 'barriers')
    expect(await remove(me, id, owner.password), 'it is removed again')
    await me.until('Home has forgotten it', async () => !(await strip.innerText()).includes('Shed'))
    return (await strip.innerText()).split('\n')[0]
  })
}
