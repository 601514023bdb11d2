// Cameras of another make, and addresses that are not right.

import { expect, same, atMost } from '../lib/tests.js'
import { foreignPassword, foreignUser } from '../lib/processes.js'
import { forTheBook } from '../lib/look.js'

export function add({ test }) {
  test('an address that is wrong gets a sentence that says what was seen', async ({ me, foreign, locked, server }) => {
    await me.go('nav.home')
    await me.tap(me.link(me.say('camera.add')))
    await me.tap(me.test('way-address'))
    const address = me.field('add.address')
    const user = me.page.getByLabel(me.say('add.username'))
    const password = me.page.getByLabel(me.say('add.password'))
    const said = {}
    for (const [name, url, secret, key] of [
      ['wrong password', locked, 'wrong-one', 'camera.wrong_password'],
      ['wrong path', foreign.url('attic'), foreignPassword, 'camera.not_found'],
      ['not RTSP', `rtsp://127.0.0.1:${new URL(server.address).port}/`, foreignPassword, 'camera.not_rtsp'],
      ['nobody there', 'rtsp://127.0.0.1:9/', foreignPassword, 'camera.refused'],
      ['public address', 'rtsp://198.51.100.7/stream', foreignPassword, 'camera.forbidden_network'],
      ['no address at all', 'http://front door', foreignPassword, 'camera.address'],
    ]) {
      await address.fill(url)
      await user.fill(foreignUser)
      await password.fill(secret)
      await me.expecting(/status of 4\d\d|status of 50\d/, async () => {
        await me.test('check').click()
        await me.page.getByRole('alert').waitFor()
      })
      const text = await me.page.getByRole('alert').innerText()
      const code = await me.page.getByRole('alert').locator('code').textContent()
      expect(code.startsWith(`${key} `), `${name}: ${code} “${text}”, want ${key}`)
      said[name] = text.split('\n')[0]
      expect(!text.includes(secret), `${name}: the sentence repeats the password`)
      expect((await me.test('found').count()) === 0, `${name}: something was found`)
    }
    same(new Set(Object.values(said)).size, 6, 'different sentences')
    return said['wrong password']
  })

  test('a foreign camera with B-frames: 4 taps', async ({ me, foreign, about }) => {
    await me.go('nav.home')
    await me.test('tile').first().waitFor()
    me.count()
    await me.tap(me.link(me.say('camera.add')))
    await me.tap(me.test('way-address'))
    // What has to be known is typed; Tab goes from field to field, Enter sends.
    await me.until('the cursor is in the address', () => me.page.evaluate(() => document.activeElement?.getAttribute('inputmode') === 'url'))
    await me.type(foreign.url('hall'))
    await me.key('Tab')
    await me.type(foreignUser)
    await me.key('Tab')
    await me.type(foreignPassword)
    await me.key('Enter')
    await me.test('found').waitFor()
    await me.until('the cursor is in the name', () => me.page.evaluate(() => document.activeElement?.getAttribute('maxlength') === '60'))
    await me.type('Hall')
    await forTheBook(me.page, 'add-camera', { height: 900 })
    await me.tap(me.page.locator('input[name=recording][value=given]'))
    await me.tap(me.test('add'))
    await me.page.getByRole('heading', { name: 'Hall', exact: true }).waitFor()
    atMost(me.taps, 4, 'H6, taps')
    about.hall = new URL(me.page.url()).pathname.split('/').pop()
    return `${me.taps} taps`
  })

  test('it plays by MSE, and the page says that B-frames are why', async ({ me }) => {
    const video = me.page.locator('.stage video:not(.hidden)')
    await me.plays(video, 'live')
    same(await me.test('stage').getAttribute('data-transport'), 'mse', 'the way')
    same(await video.evaluate((v) => v.srcObject === null || !(v.srcObject instanceof MediaStream)), true, 'no WebRTC stream')
    await me.tap(me.test('how'))
    const why = await me.test('how-text').innerText()
    expect(why.includes(me.say('live.how.mse')) && why.includes(me.say('live.why.reorder')), `it says “${why}”`)
    await me.key('Escape')
  })

  test('a foreign camera with a key picture every 10 s is live all the same', async ({ me, foreign, about }) => {
    await me.go('nav.home')
    await me.tap(me.link(me.say('camera.add')))
    await me.tap(me.test('way-address'))
    await me.until('the cursor is in the address', () => me.page.evaluate(() => document.activeElement?.getAttribute('inputmode') === 'url'))
    await me.type(foreign.url('street'))
    await me.key('Tab')
    await me.type(foreignUser)
    await me.key('Tab')
    await me.type(foreignPassword)
    await me.key('Enter')
    await me.test('found').waitFor()
    await me.type('Street')
    await me.tap(me.page.locator('input[name=recording][value=refused]'))
    await me.tap(me.test('add'))
    await me.page.getByRole('heading', { name: 'Street', exact: true }).waitFor()
    about.street = new URL(me.page.url()).pathname.split('/').pop()
    const video = me.page.locator('.stage video:not(.hidden)')
    await me.plays(video, 'live')
    same(await me.test('recording-state').innerText(), me.say('recording.off'), 'recording refused for this one')
    return `${await me.test('stage').getAttribute('data-transport')}, first picture after ${await me.test('stage').getAttribute('data-first')} ms`
  })

  test('three tiles at Home, all live', async ({ me }) => {
    await me.go('nav.home')
    for (const name of ['Hall', 'Street']) await me.plays(me.test('tile').filter({ hasText: name }).locator('video'), name)
    same(await me.test('tile').count(), 3, 'tiles')
    await forTheBook(me.page, 'home', { height: 860 })
  })
}
