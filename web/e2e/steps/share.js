// Three people: the owner, a guest who is invited, and whoever holds a link. What is taken back ends while it runs.

import { atMost, expect, same } from '../lib/tests.js'
import { read } from '../lib/qr.js'
import { saying } from '../lib/person.js'
import { barriers, forTheBook, portraits, rawWords } from '../lib/look.js'

const gil = { name: 'Gil Gast', email: 'gil@example.org', password: 'a scooter under the stairs' }

/** Barriers and raw words of a page. */
async function seen(me) {
  return [...(await barriers(me.page)), ...(await rawWords(me.page))]
}

/** The newest code for an address, as the outbox has it. */
const code = (you, email) =>
  you.until('the code', async () => {
    const { letters } = await (await you.context.request.get(`${you.address}/api/v1/outbox`)).json()
    return /\d{4} \d{4}/.exec(letters.find((l) => l.to === email && /\d{4} \d{4}/.test(l.text))?.text ?? '')?.[0]
  })

export function share({ test }) {
  test('an invitation: to one camera, live, for a named person', async ({ me, about }) => {
    await me.page.goto(`${me.address}/cameras/${about.demo}`)
    await me.test('stage').waitFor()
    await me.tap(me.button(me.say('share.title')).first())
    await me.tap(me.test('share-person'))
    await me.page.getByRole('dialog').getByText(me.say('share.warning')).waitFor()
    await me.test('label').fill('Gil')
    same(await seen(me), [], 'barriers')
    await me.tap(me.test('confirmed'))
    await me.tap(me.test('invite'))
    await me.test('share-url').waitFor()
    about.invite = await me.test('share-url').inputValue()
    same(await read(me), about.invite, 'the QR code says')
    same(await seen(me), [], 'barriers')
    await portraits(me.page, 'invite-made', 'en')
    await me.page.keyboard.press('Escape')
  })

  test('the guest reads what it says, signs up, is back at the invitation and accepts', async ({ about, stranger }) => {
    const path = new URL(about.invite).pathname
    const you = (about.guest = await stranger(path))
    await you.test('letter').getByText(you.say('share.can.live')).waitFor()
    same(await seen(you), [], 'barriers')
    await you.tap(you.test('enter'))
    await you.page.getByRole('heading', { name: you.say('signin.title') }).waitFor()
    await you.page.goBack()
    await you.tap(you.link(you.say('invite.signUp')))
    await you.field('account.email').fill(gil.email)
    await you.tap(you.button(you.say('code.send')))
    await you.page.locator('#mailed-code').fill(await code(you, gil.email))
    await you.field('account.name').fill(gil.name)
    await you.field('account.password').fill(gil.password)
    await you.tap(you.button(you.say('signup.create')))
    await you.test('letter').waitFor()
    same(new URL(you.page.url()).pathname, path, 'after signing up')
    same(await you.test('shared').count(), 0, 'shared before it was accepted')
    await you.tap(you.test('accept'))
    await you.test('shared').locator('[data-test=tile]').waitFor()
    await you.plays(you.test('shared').locator('video'), 'the tile')
    same(await seen(you), [], 'barriers')
  })

  test('the guest watches, and reaches no footage by any address @P123 @P125', async ({ about }) => {
    const you = about.guest
    await you.tap(you.test('tile').getByRole('link'))
    await you.plays(you.page.locator('.stage video:not(.hidden)'), 'live')
    await you.test('member').waitFor()
    same(await you.page.getByRole('slider', { name: you.say('timeline.label') }).count(), 0, 'timelines')
    same(await you.button(you.say('share.title')).count(), 0, 'buttons to share')
    const now = new Date()
    const from = new Date(now - 60_000).toISOString()
    for (const ask of [`timeline?from=${from}&to=${now.toISOString()}`, 'days', `footage.mp4?from=${from}&to=${now.toISOString()}`, `footage.mp4?from=${from}&to=${now.toISOString()}&download=1`, `frame.jpg?at=${from}`]) {
      const answer = await you.context.request.get(`${you.address}/api/v1/cameras/${about.demo}/${ask}`)
      same([answer.status(), (await answer.json()).code], [403, 'share.not_included'], ask)
    }
  })

  test('the owner changes what the guest may do, and it holds at once @P123', async ({ me, about }) => {
    const you = about.guest
    const ask = async () => (await you.context.request.get(`${you.address}/api/v1/cameras/${about.demo}/days`)).status()
    await me.go('nav.people')
    const row = me.test('share').filter({ hasText: 'Gil' })
    await me.tap(row.locator('[data-test=change-share]'))
    const dialog = me.page.getByRole('dialog')
    await dialog.getByRole('checkbox', { name: me.say('share.can.playback') }).check()
    await me.test('history').selectOption('all')
    same(await seen(me), [], 'barriers')
    await portraits(me.page, 'share-change', 'en')
    await me.tap(me.test('save-share'))
    await dialog.waitFor({ state: 'detached' })
    await row.getByText(me.say('share.can.playback')).waitFor()
    same(await ask(), 200, 'the days, once footage is shared')
    await me.tap(row.locator('[data-test=change-share]'))
    await dialog.getByRole('checkbox', { name: me.say('share.can.playback') }).uncheck()
    await me.tap(me.test('save-share'))
    await dialog.waitFor({ state: 'detached' })
    same(await ask(), 403, 'the days, once it is not')
    await you.page.reload()
    await you.plays(you.page.locator('.stage video:not(.hidden)'), 'live, which stayed shared')
  })

  test('the owner sees who used it, and takes it back while it runs @P123', async ({ me, about }) => {
    await me.go('nav.people')
    const row = me.test('share').filter({ hasText: 'Gil' })
    await row.getByText(saying('share.lastUsed')).waitFor()
    same(await seen(me), [], 'barriers')
    await row.getByText(saying('share.lastUsed')).click()
    await forTheBook(me.page, 'people', { height: 620 })
    const you = about.guest
    you.allow(/status of 40[134]/)
    await me.tap(row.locator('[data-test=revoke]'))
    await row.getByText(me.say('share.state.ended')).waitFor()
    await row.getByText(me.say('share.copies')).waitFor()
    await you.page.getByText(you.say('camera.gone')).waitFor()
    await you.page.goto(`${you.address}/`)
    await you.page.getByRole('heading', { name: you.say('nav.home') }).waitFor({ state: 'attached' })
    same(await you.test('tile').count(), 0, 'cameras left')
    const gone = await you.context.request.delete(`${you.address}/api/v1/account`, { data: { password: gil.password } })
    expect(gone.ok(), `closing the guest's account: ${gone.status()}`)
    await you.close()
  })

  test('a clip by link: three taps, no account, no name, and gone when it is taken back @P127', async ({ me, about, stranger }) => {
    await me.page.goto(`${me.address}/cameras/${about.demo}`)
    await me.test('stage').waitFor()
    await me.context.grantPermissions(['clipboard-read', 'clipboard-write'])
    await me.tap(me.test('footage-list').getByRole('button').last())
    await me.key('k')
    me.count()
    await me.key('[')
    await me.key('ArrowRight')
    await me.until('5 s on', async () => /from=/.test(me.page.url()))
    await me.key(']')
    await me.tap(me.test('share-clip'))
    await me.page.getByRole('dialog').getByText(me.say('share.warning')).waitFor()
    same(await seen(me), [], 'barriers')
    await me.tap(me.test('copy-link'))
    await me.test('share-url').waitFor()
    atMost(me.taps, 3, 'taps for a link')
    const taps = me.taps
    const url = await me.test('share-url').inputValue()
    same(await read(me), url, 'the QR code says')
    same(await me.page.evaluate(() => navigator.clipboard.readText()), url, 'the clipboard')
    await me.page.keyboard.press('Escape')

    const you = await stranger(new URL(url).pathname)
    const clip = you.test('clip')
    await you.until('the clip', () => clip.evaluate((v) => v.readyState >= 1 && v.duration > 3))
    same(await seen(you), [], 'barriers')
    const text = await you.page.locator('body').innerText()
    expect(!/Demo|Hall/.test(text), `the page tells ${text}`)
    const cookies = (await you.context.cookies()).filter((c) => c.path === '/')
    same(cookies, [], 'cookies of a session')
    same((await you.context.request.get(`${you.address}/api/v1/cameras/${about.demo}`)).status(), 401, 'the camera itself')

    await me.go('nav.people')
    const row = me.test('share').filter({ hasText: me.say('share.aLink') })
    you.allow(/status of 410/)
    await me.tap(row.locator('[data-test=revoke]'))
    await you.page.getByText(you.say('problem.link.over').split('.')[0]).waitFor()
    same(await you.page.evaluate(async () => [await caches.keys(), (await navigator.serviceWorker.getRegistrations()).length]), [[], 0], 'what a link leaves in the browser')
    await you.page.reload()
    await you.page.getByText(you.say('problem.link.over').split('.')[0]).waitFor()
    same(you.strangers, [], 'requests elsewhere')
    await you.close()
    return `${taps} taps`
  })
}
