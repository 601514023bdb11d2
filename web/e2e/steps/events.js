// Something moves: agreed to first, then it appears by itself and is dealt with.

import { expect, same } from '../lib/tests.js'
import { barriers, forTheBook, portraits, rawWords } from '../lib/look.js'

const cards = (me) => me.test('event')
const focused = (me) => me.page.evaluate(() => document.activeElement?.closest('[data-test=event]')?.querySelector('[data-play]')?.dataset.play ?? '')

/** Early in the journey, so that something has happened when events are looked at. */
export function watchful({ test }) {
  test('looking for movement is asked for, Yes and No alike', async ({ me, about }) => {
    await me.page.goto(`${me.address}/cameras/${about.demo}`)
    await me.page.getByRole('link', { name: me.say('camera.settings') }).click()
    same(await me.test('sensitivity').count(), 0, 'settings before anybody agreed')
    await me.tap(me.test('allow-motion'))
    const box = await me.dialog(false)
    await box.getByText(/frame|picture|一张/).first().waitFor()
    const [no, yes] = await Promise.all([me.test('motion-no'), me.test('motion-yes')].map((b) => b.evaluate((e) => ({ class: e.className, width: Math.round(e.getBoundingClientRect().width) }))))
    same(yes, no, 'Yes looks like No')
    same(await barriers(me.page), [], 'barriers')
    await me.tap(me.test('motion-yes'))
    await me.test('sensitivity').waitFor()
    await me.page.getByText(me.say('motion.actual')).waitFor()
  })

  test('what is looked at is chosen with the keyboard', async ({ me, about }) => {
    await me.tap(me.test('zones'))
    await me.page.getByRole('grid').waitFor()
    await me.page.locator('[data-cell="0"]').focus()
    for (const key of ['Space', 'ArrowRight', 'ArrowRight', 'Space']) await me.key(key)
    same(await me.page.locator('[data-cell][aria-selected=false]').evaluateAll((all) => all.map((c) => c.dataset.cell)), ['0', '2'], 'cells left out')
    same(await barriers(me.page), [], 'barriers')
    await me.tap(me.test('save-zones'))
    await me.page.getByText(me.say('motion.zonesSome')).waitFor()
    await me.page.reload()
    await me.page.getByText(me.say('motion.zonesSome')).waitFor()
    await me.page.goto(`${me.address}/cameras/${about.demo}`)
    await me.test('stage').waitFor()
  })
}

/** After the first event was seen, and never before, a person is asked whether to be told. */
export function offered({ test }) {
  const rules = (me) => me.page.evaluate(() => fetch('api/v1/alerts').then((r) => r.json()).then((s) => s.rules.filter((r) => r.kind === 'motion').map(({ app, push, mail, pictures }) => ({ app, push, mail, pictures }))))

  test('whether to be told is asked after the first event was seen; a No is remembered', async ({ me }) => {
    await me.go('nav.events')
    await cards(me).first().waitFor({ timeout: 150_000 })
    same(await me.test('alerts-offer').count(), 0, 'asked before anything was seen')
    same(await rules(me), [], 'chosen before anybody asked')
    await me.tap(cards(me).last().locator('[data-test=see]'))
    await me.test('alerts-offer').waitFor()
    const [no, yes] = await Promise.all([me.test('offer-no'), me.test('offer-yes')].map((b) => b.evaluate((e) => ({ class: e.className, width: Math.round(e.getBoundingClientRect().width) }))))
    same(yes, no, 'Yes looks like No')
    same([...(await barriers(me.page)), ...(await rawWords(me.page))], [], 'barriers and raw words')
    await portraits(me.page, 'alerts-offer', 'en')
    await me.tap(me.test('offer-no'))
    await me.test('alerts-offer').waitFor({ state: 'detached' })
    same(await rules(me), [{ app: false, push: false, mail: false, pictures: false }], 'what a No chose')
    await me.page.reload()
    await cards(me).first().waitFor()
    await me.page.waitForLoadState('networkidle', { timeout: 3000 }).catch(() => {}) // the feed stays open
    same(await me.test('alerts-offer').count(), 0, 'asked again')
  })

  test('a Yes tells in the app, and asks before anything goes through a push service', async ({ me, about }) => {
    await me.page.route('**/api/v1/alerts', async (route) => {
      if (route.request().method() !== 'GET') return route.continue()
      const answer = await route.fetch()
      await route.fulfill({ response: answer, json: { ...(await answer.json()), rules: [] } }) // as before the No
    })
    await me.page.reload()
    await me.tap(me.test('offer-yes'))
    const box = await me.dialog(false)
    await box.getByText(/push service/).first().waitFor()
    await me.page.unroute('**/api/v1/alerts')
    await box.getByRole('button', { name: me.say('consents.no') }).click()
    await box.waitFor({ state: 'detached' })
    same(await rules(me), [{ app: true, push: true, mail: false, pictures: false }], 'what a Yes chose')
    same(await me.page.evaluate(() => fetch('api/v1/alerts').then((r) => r.json()).then((s) => [s.push_consent, s.devices])), ['refused', []], 'devices that get messages')
    // Everything off again: what follows begins there.
    const status = await me.page.evaluate((id) => fetch(`api/v1/cameras/${id}/alerts`, { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ kind: 'motion', app: false, push: false, mail: false, pictures: false }) }).then((r) => r.status), about.demo)
    same(status, 200, 'off again')
    const seen = me.page.locator('[data-test=event][data-seen=true]')
    await me.tap(seen.last().locator('[data-test=see]'))
    await me.until('nothing is seen', async () => (await seen.count()) === 0)
    await me.page.goto(`${me.address}/cameras/${about.demo}`)
    await me.test('stage').waitFor()
  })
}

export function events({ test }) {
  test('an event appears by itself, with its picture', async ({ me }) => {
    await me.go('nav.events')
    await cards(me).first().waitFor({ timeout: 150_000 })
    await me.until('its picture', () => cards(me).first().locator('img').evaluate((i) => i.naturalWidth > 0).catch(() => false))
    const title = await cards(me).last().getAttribute('aria-label')
    expect(title.startsWith(`${me.say('event.kind.motion')} · `) && title.includes(me.say('event.unseen')), `it says “${title}”`)
    await forTheBook(me.page, 'events', { height: 700 })
    return `${await cards(me).count()} events`
  })

  test('triage by keyboard alone', async ({ me }) => {
    const last = cards(me).last()
    await me.page.locator('main').focus()
    await me.key('j')
    const first = await focused(me)
    expect(first !== '', 'J goes to an event')
    if ((await cards(me).count()) > 1) {
      await me.key('n')
      const second = await focused(me)
      expect(second !== '' && second !== first, 'N goes to the next one')
      await me.key('k')
      same(await focused(me), first, 'K goes back')
    }
    for (let i = 0; i < 30; i++) await me.key('j')
    const id = await focused(me)
    same(id, await last.locator('[data-play]').getAttribute('data-play'), 'J ends at the last one')
    await me.key('s')
    await me.until('S says that it was seen', async () => (await last.getAttribute('data-seen')) === 'true')
    await me.page.reload()
    const again = me.page.locator(`[data-test=event]:has([data-play="${id}"])`)
    await me.until('it is remembered', async () => (await again.getAttribute('data-seen')) === 'true')
    return `${await cards(me).count()} events`
  })

  test('the filter is in the address, and Back shows the place that was left', async ({ me }) => {
    await me.page.setViewportSize({ width: 390, height: 520 })
    await me.tap(me.test('filter-unseen'))
    await me.until('the address says so', () => new URL(me.page.url()).searchParams.get('seen') === 'no')
    await me.until('what was seen is gone', async () => (await me.page.locator('[data-test=event][data-seen=true]').count()) === 0)
    await me.page.reload()
    await me.until('the address brings it back', () => me.test('filter-unseen').isChecked())
    await me.tap(me.test('filter-unseen'))
    await me.until('all of them', async () => new URL(me.page.url()).search === '' && (await me.page.locator('[data-test=event][data-seen=true]').count()) > 0)

    const last = cards(me).last().locator('[data-play]')
    const id = await last.getAttribute('data-play')
    await last.focus()
    await last.scrollIntoViewIfNeeded()
    const at = await me.page.evaluate(() => scrollY)
    await me.key('Enter')
    await me.page.waitForURL(/\/cameras\/[^/]+\?.*at=/)
    await me.test('day-events').waitFor()
    await me.page.goBack()
    await me.until('the same place', async () => ((await focused(me)) === id || at === 0) && Math.abs((await me.page.evaluate(() => scrollY)) - at) < 300)
    await me.page.setViewportSize({ width: 1280, height: 900 })
  })

  test('events stand on the timeline, and N goes from one to the next', async ({ me, about }) => {
    await me.page.goto(`${me.address}/cameras/${about.demo}`)
    await me.test('day-events').waitFor()
    await me.page.locator('main').focus()
    const at = async () => new URL(me.page.url()).searchParams.get('at')
    await me.key('p')
    const first = await me.until('P goes to an event', at)
    await me.until('the list says which', async () => (await me.page.locator('[data-test=day-events] [aria-current=true]').count()) === 1, 60_000)
    await forTheBook(me.page, 'timeline-events', { theme: 'dark', height: 900 })
    const events = await me.page.locator('[data-test=day-events] li').count()
    if (events > 1)
      await me.until('P goes further back', async () => {
        await me.key('p') // pressed again soon, it leaves the event it has gone to the start of
        return (await at()) < first
      })
    await me.until('the slider speaks of it', async () => (await me.page.getByRole('slider', { name: me.say('timeline.label') }).getAttribute('aria-valuetext')) !== '')
  })
}
