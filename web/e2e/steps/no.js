// Somebody who says no to everything that can be refused, and who uses no mouse.

import { expect, same, atMost, Journey } from '../lib/tests.js'
import { reach, tour } from '../lib/keyboard.js'

export const no = new Journey('says no, by keyboard')
const { test } = no

test('a wrong set-up code is told in a sentence', async ({ me, quiet }) => {
  me.allow(/status of 409.*\/whep/) // this server has no WebRTC, and says so
  await me.page.getByRole('heading', { name: me.say('setup.title') }).waitFor()
  await reach(me, me.page.locator('#setup-code'))
  await me.type('AAAA-AAAA-AAAA')
  await me.key('Tab')
  await me.type('Nora Nein')
  await me.key('Tab')
  await me.type('nora@example.org')
  await me.key('Tab')
  await me.type('quiet hills in the evening')
  same(await me.page.locator('input[type=radio]:checked').count(), 0, 'answers ticked in advance')
  // Enter in a field sends the form; the unanswered question is pointed at instead.
  await me.key('Enter')
  await me.page.getByText(me.say('consent.choose')).first().waitFor()
  same(await me.page.evaluate(() => document.activeElement.name), 'recording', 'the cursor stands at')
  await me.key('ArrowDown')
  expect(await me.page.locator('input[name=recording][value=refused]').isChecked(), 'the arrow key chooses No')
  await me.key('Tab')
  await me.key('Space')
  expect(await me.page.locator('input[name=demo][value=demo]').isChecked(), 'the space bar chooses the demo camera')
  await me.expecting(/status of 403/, async () => {
    await me.key('Enter')
    await me.page.locator('#setup-code-error').waitFor()
  })
  const said = await me.page.locator('#setup-code-error').innerText()
  expect(said.includes(me.say('problem.setup.wrong_code').split('.')[0]), `the sentence is “${said}”`)
  expect(await me.page.evaluate(() => document.activeElement.id === 'setup-code'), 'the cursor goes to the code')
  await me.key('Control+a')
  await me.type(quiet.code)
})

test('No to recording and the right code: Home, and the camera is live', async ({ me }) => {
  await me.key('Enter')
  await me.test('tile').waitFor()
  await me.plays(me.page.locator('[data-test=tile] video'), 'the tile')
  same(await me.context.cookies().then((all) => all.map((c) => [c.name, c.httpOnly, c.sameSite])), [['candor_session', true, 'Lax']], 'cookies')
})

test('without a port for WebRTC it is MSE at once, and the page says why', async ({ me }) => {
  await me.page.goto(await me.page.locator('[data-test=tile] a').getAttribute('href'))
  const video = me.page.locator('.stage video:not(.hidden)')
  await me.plays(video, 'live')
  same(await me.test('stage').getAttribute('data-transport'), 'mse', 'the way')
  await me.tap(me.test('how'))
  const why = await me.test('how-text').innerText()
  expect(why.includes(me.say('live.how.mse')) && why.includes(me.say('problem.live.no_webrtc').split('.')[0]), `it says “${why}”`)
  await me.page.goto(me.address)
  await me.test('tile').waitFor()
})

test('every stop of the Tab key is named, seen and not hidden', async ({ me }) => {
  const stops = await tour(me)
  expect(stops.includes(me.say('camera.add')), `the ring has ${stops.join(' | ')}`)
  await me.page.setViewportSize({ width: 390, height: 700 })
  await tour(me)
  await me.page.setViewportSize({ width: 1280, height: 900 })
  return `${stops.length} stops at Home`
})

test('the camera page by keys: sound, help, full screen, quality, back', async ({ me }) => {
  me.count()
  await reach(me, me.page.locator('[data-test=tile] a'))
  await me.key('Enter')
  await me.test('stage').waitFor()
  const video = me.page.locator('.stage video:not(.hidden)')
  await me.plays(video, 'live')
  await me.key('m')
  await me.until('sound on', () => video.evaluate((v) => !v.muted))
  await me.key('m')
  await me.until('sound off', () => video.evaluate((v) => v.muted))
  await me.key('?')
  await me.page.getByRole('dialog').waitFor()
  await me.key('Escape')
  await me.page.getByRole('dialog').waitFor({ state: 'detached' })
  await me.key('f')
  await me.until('full screen', () => me.page.evaluate(() => !!document.fullscreenElement))
  await me.key('f')
  await me.until('full screen left', () => me.page.evaluate(() => !document.fullscreenElement))
  const stops = await tour(me)
  await reach(me, me.page.getByRole('combobox', { name: me.say('quality.title') }))
  await me.key('Home')
  await reach(me, me.page.getByRole('slider', { name: me.say('timeline.label') }))
  same(me.taps, 0, 'taps')
  return `${stops.length} stops`
})

test('nothing is recorded, and the page says so', async ({ me }) => {
  same(await me.test('recording-state').innerText(), me.say('recording.off'), 'recording')
  await me.page.getByText(me.say('recording.offText')).waitFor()
  await me.page.getByText(me.say('footage.none')).waitFor()
  const now = new Date().toISOString()
  const asked = await me.context.request.get(`${me.address}/api/v1/cameras/${new URL(me.page.url()).pathname.split('/').pop()}/timeline?from=${now.slice(0, 10)}T00:00:00Z&to=${now}`)
  same([asked.status(), (await asked.json()).code], [403, 'consent.needed'], 'the API, asked for footage')
  await me.page.goBack()
  await me.test('tile').waitFor()
})

test('what was refused is written down and nothing else is held against it', async ({ me }) => {
  me.count()
  await reach(me, me.page.getByRole('navigation').getByRole('link', { name: me.say('nav.privacy') }))
  await me.key('Enter')
  await me.test('consents').getByText(me.say('consent.refused')).first().waitFor()
  atMost(await me.test('held').getByText(me.say('category.footage'), { exact: false }).count(), 0, 'kinds of footage held')
})

test('no complaint in the console, no request elsewhere @P221', async ({ me }) => {
  same(me.complaints, [], 'console')
  same(me.strangers, [], 'requests elsewhere')
  await me.close()
})
