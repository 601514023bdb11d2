// Being told: choosing, pausing, and what the app does with a message while it is closed.

import { expect, same, atMost } from '../lib/tests.js'
import { barriers, forTheBook, rawWords } from '../lib/look.js'

export function messages({ test }) {
  test('messages are off until they are chosen; a pause takes 2 taps from live', async ({ me, about }) => {
    await me.page.goto(`${me.address}/cameras/${about.demo}`)
    await me.test('stage').waitFor()
    me.count()
    await me.tap(me.link(me.say('camera.settings')))
    const card = me.page.locator('#alerts')
    await card.getByRole('switch').first().waitFor()
    same(await card.getByRole('switch', { checked: true }).count(), 0, 'switched on beforehand')
    await me.tap(card.getByRole('button', { name: me.say('alerts.halfHour') }))
    await card.getByRole('status').waitFor()
    atMost(me.taps, 2, 'H5, taps')
    await me.tap(card.getByRole('button', { name: me.say('alerts.resume') }))
    await me.tap(card.getByRole('switch', { name: me.say('alerts.app') }))
    await card.getByRole('switch', { name: me.say('alerts.app'), checked: true }).waitFor()
    return `${me.taps} taps in all`
  })

  test('the page of messages, without barriers', async ({ me }) => {
    await me.go('nav.settings')
    await me.tap(me.test('notifications'))
    await me.test('messages').waitFor()
    same([...(await barriers(me.page)), ...(await rawWords(me.page))], [], 'barriers and raw words')
    await forTheBook(me.page, 'notifications', { height: 900 })
  })

  test('a message wakes the app: shown, and a click opens the moment, never Home', async ({ me, about }) => {
    await me.context.grantPermissions(['notifications'], { origin: me.address })
    await me.page.evaluate(() => navigator.serviceWorker.register('sw.js').then(() => navigator.serviceWorker.ready).then(() => undefined))
    await me.page.reload()
    const worker = await me.until('the worker', () => me.context.serviceWorkers()[0] ?? false)
    const cdp = await me.context.newCDPSession(me.page)
    let registration = ''
    cdp.on('ServiceWorker.workerRegistrationUpdated', (e) => (registration ||= e.registrations.at(-1)?.registrationId ?? ''))
    await cdp.send('ServiceWorker.enable')
    await me.until('its registration', () => registration)
    const at = new Date(Date.now() - 60_000).toISOString()
    const open = `cameras/${about.demo}?at=${at}`
    const told = { web_push: 8030, notification: { title: 'Front door', body: 'Motion · Front door · 14:32', tag: 'front', navigate: `${me.address}/${open}`, data: { camera: about.demo, open } } }
    for (const data of [JSON.stringify(told), 'not what we send']) await cdp.send('ServiceWorker.deliverPushMessage', { origin: me.address, registrationId: registration, data })
    const shown = await me.until('two notifications', () =>
      worker.evaluate(() => self.registration.getNotifications().then((all) => (all.length === 2 ? all.map((n) => [n.title, n.body]) : false))),
    )
    expect(shown.some(([title, body]) => title === 'Front door' && body.includes('14:32')) && shown.some(([title]) => title === 'Candor'), `shown: ${JSON.stringify(shown)}`)
    await worker.evaluate(async () => {
      const [n] = await self.registration.getNotifications({ tag: 'front' })
      self.dispatchEvent(new NotificationEvent('notificationclick', { notification: n }))
    })
    await me.until('the moment', () => me.page.evaluate((id) => location.pathname.endsWith(`/cameras/${id}`) && location.search.includes('at='), about.demo))
    same(await worker.evaluate(() => caches.open('candor-shell-1').then((c) => c.keys()).then((all) => all.filter((k) => k.url.includes('/api/')).length)), 0, 'answers of the API that are kept')
    await cdp.detach()
    await me.context.clearPermissions() // one that names an address hides those that name none
    await me.page.evaluate(() => navigator.serviceWorker.getRegistrations().then((all) => Promise.all(all.map((r) => r.unregister()))).then(() => caches.delete('candor-shell-1')).then(() => undefined))
  })
}
