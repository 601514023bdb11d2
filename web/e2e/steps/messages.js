// Being told: choosing, pausing, and what the app does with a message while it is closed.

import { expect, same, atMost } from '../lib/tests.js'
import { reach } from '../lib/keyboard.js'
import { barriers, forTheBook, rawWords } from '../lib/look.js'

export function messages({ test }) {
  test('messages are off until they are chosen; a pause takes 2 taps from live', async ({ me, about }) => {
    await me.page.goto(`${me.address}/cameras/${about.demo}`)
    await me.test('stage').waitFor()
    me.count()
    await me.tap(me.link(me.say('camera.settings')))
    const card = me.page.locator('#alerts')
    await card.getByRole('switch').first().waitFor()
    const motion = card.locator('[data-test=rule-motion]')
    same(await motion.getByRole('switch', { checked: true }).count(), 0, 'switched on beforehand')
    const gap = card.locator('[data-test=rule-gap]')
    same(await gap.getByRole('switch', { checked: true }).count(), 1, 'an owner hears of gaps in the app, and nowhere else')
    await me.tap(card.getByRole('button', { name: me.say('alerts.halfHour') }))
    await card.getByRole('status').waitFor()
    atMost(me.taps, 2, 'H5, taps')
    await me.tap(card.getByRole('button', { name: me.say('alerts.resume') }))
    await me.tap(motion.getByRole('switch', { name: me.say('alerts.app') }))
    await motion.getByRole('switch', { name: me.say('alerts.app'), checked: true }).waitFor()
    return `${me.taps} taps in all`
  })

  test('the page of messages, without barriers', async ({ me }) => {
    await me.go('nav.settings')
    await me.tap(me.test('notifications'))
    await me.test('messages').waitFor()
    same([...(await barriers(me.page)), ...(await rawWords(me.page))], [], 'barriers and raw words')
    await forTheBook(me.page, 'notifications', { height: 900 })
  })

  test('hours of a rule and mails about gaps, by the keys alone', async ({ me, about }) => {
    const settled = async () => {
      const { rules } = await me.page.evaluate(() => fetch('api/v1/alerts').then((r) => r.json()))
      const of = (kind) => rules.find((r) => r.camera_id === about.demo && r.kind === kind)
      return { motion: of('motion'), gap: of('gap') }
    }
    same((await settled()).motion.hours ?? [], [], 'hours at first')
    const rules = me.test('rules')
    await reach(me, rules.locator('summary').first())
    await me.key('Enter')
    const motion = rules.locator('[data-test=rule-motion]').first()
    await reach(me, motion.getByRole('button', { name: me.say('alerts.hours.change') }))
    await me.key('Enter')
    await reach(me, motion.locator('[data-test=timed]'))
    await me.key('Space')
    await reach(me, motion.getByRole('checkbox', { name: 'Sat' }))
    await me.key('Space')
    await reach(me, motion.getByLabel(me.say('share.hours.from')))
    await me.type('0715') // the field keeps the morning where it asks for one
    await reach(me, motion.getByLabel(me.say('share.hours.to')))
    await me.type('0600AM')
    await motion.getByText(me.say('alerts.hours.nextDay')).waitFor()
    await reach(me, motion.locator('[data-test=save-hours]'))
    same([...(await barriers(me.page)), ...(await rawWords(me.page))], [], 'barriers and raw words')
    await me.key('Enter')
    await motion.locator('[data-test=hours]').waitFor()
    same((await settled()).motion.hours, [{ days: [1, 2, 3, 4, 5, 6], from: '07:15', to: '06:00' }], 'hours that hold')
    expect((await settled()).motion.app, 'the hours took a channel away')
    same(await motion.locator('[data-test=hours]').innerText(), 'Mon–Sat 07:15–06:00', 'it says')
    await me.until('the cursor is back', () => motion.locator('[data-test=change-hours]').evaluate((e) => e === document.activeElement))

    const mail = rules.locator('[data-test=rule-gap]').first().getByRole('switch', { name: me.say('alerts.mail') })
    await reach(me, mail)
    await me.key('Space')
    await rules.locator('[data-test=rule-gap]').first().getByRole('switch', { name: me.say('alerts.mail'), checked: true }).waitFor()
    const { gap } = await settled()
    same([gap.app, gap.mail, gap.push], [true, true, false], 'told of gaps')

    await me.tap(motion.getByRole('button', { name: me.say('alerts.hours.change') }))
    await me.tap(motion.locator('[data-test=timed]'))
    await me.tap(motion.locator('[data-test=save-hours]'))
    await motion.getByText(me.say('share.hours.any')).waitFor()
    same((await settled()).motion.hours ?? [], [], 'hours taken away')
    await me.tap(mail)
    await rules.locator('[data-test=rule-gap]').first().getByRole('switch', { name: me.say('alerts.mail'), checked: false }).waitFor()
  })

  test('a picture in messages is asked for where it is chosen; No leaves it off', async ({ me, about }) => {
    const pictures = me.test('rules').locator('[data-test=rule-motion]').first().getByRole('switch', { name: me.say('alerts.pictures') })
    const consented = () => me.page.evaluate((id) => fetch('api/v1/consents').then((r) => r.json()).then((c) => c.current.find((x) => x.purpose === 'message_picture' && (!x.camera_id || x.camera_id === id))?.state), about.demo)
    await me.tap(pictures)
    const box = await me.dialog(false)
    await box.getByText(/one picture of the event/).first().waitFor()
    await me.until('the page behind it is at rest', () => me.page.evaluate(() => !document.querySelector('[aria-busy]') && !document.getAnimations().length))
    same(await barriers(me.page), [], 'barriers')
    await me.tap(box.getByRole('button', { name: me.say('consents.no') }))
    await box.waitFor({ state: 'detached' })
    same([await consented(), await pictures.getAttribute('aria-checked')], ['refused', 'false'], 'after No')
    await me.tap(pictures)
    await me.tap(box.getByRole('button', { name: me.say('consents.yes'), exact: true }))
    await me.until('the switch is on', async () => (await pictures.getAttribute('aria-checked')) === 'true')
    same(await consented(), 'given', 'after Yes')
    await me.tap(pictures)
    await me.until('the switch is off', async () => (await pictures.getAttribute('aria-checked')) === 'false')
  })

  test('a message wakes the app: shown, and a click opens the moment, never Home', async ({ me, about }) => {
    await me.context.grantPermissions(['notifications'], { origin: me.address })
    await me.page.evaluate(() => navigator.serviceWorker.register('sw.js').then(() => navigator.serviceWorker.ready).then(() => undefined))
    await me.page.reload()
    const worker = await me.until('the worker', () => me.context.serviceWorkers()[0] ?? false)
    const cdp = await me.context.newCDPSession(me.page)
    let registration = ''
    cdp.on('ServiceWorker.workerRegistrationUpdated', (e) => (registration ||= e.registrations.find((r) => !r.isDeleted && r.scopeURL === `${me.address}/`)?.registrationId ?? ''))
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
