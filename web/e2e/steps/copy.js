// A copy of everything, and every purpose with its switch.

import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { atMost, expect, same } from '../lib/tests.js'
import { forTheBook } from '../lib/look.js'
import { owner } from './begin.js'

const has = (program) => {
  try {
    execFileSync('which', [program])
    return true
  } catch {
    return false
  }
}

export function copies({ test }) {
  test('take a copy of everything: 2 taps and the password', async ({ me, folder, stranger }) => {
    me.count()
    await me.go('nav.privacy')
    await me.tap(me.test('copy-ask'))
    await me.dialog()
    atMost(me.taps, 2, 'P2, taps')
    await me.type(owner.password)
    await me.key('Enter')
    await me.test('copy-ready').waitFor({ timeout: 120_000 })
    const link = await me.test('copy-link').innerText()
    await me.test('copy').scrollIntoViewIfNeeded()
    await forTheBook(me.page, 'copy', { height: 900 })
    const [download] = await Promise.all([me.page.waitForEvent('download'), me.test('copy-download').click()])
    same(download.suggestedFilename(), 'candor-copy.zip', 'file name')
    const file = `${folder}/copy.zip`
    await download.saveAs(file)
    const whole = await readFile(file)
    if (has('unzip')) execFileSync('unzip', ['-tqq', file])
    const names = has('unzip') ? execFileSync('unzip', ['-Z1', file], { encoding: 'utf8' }) : ''
    if (names) for (const part of ['README.txt', 'manifest.json', 'account/account.jsonl', 'consent/consent.jsonl', 'device/device.jsonl']) expect(names.includes(part), `the copy lacks ${part}`)
    // The link opens it without an account, from the byte at which a download broke off.
    const other = await stranger('/')
    const from = Math.floor(whole.length / 3) | 1
    const rest = await other.context.request.get(link, { headers: { Range: `bytes=${from}-` } })
    same(rest.status(), 206, 'gone on with')
    expect(whole.subarray(from).equals(await rest.body()), 'the rest differs')
    await other.close()
    return `${me.taps} taps, ${(whole.length / 1e6).toFixed(1)} MB`
  })

  test('every purpose has one switch, and the same one takes it back', async ({ me }) => {
    await me.go('nav.privacy')
    await me.tap(me.test('open-consents'))
    await me.page.getByRole('heading', { name: me.say('consents.title'), level: 1 }).waitFor()
    const asked = await me.page.evaluate(() => fetch('api/v1/purposes').then((r) => r.json()).then((all) => all.filter((p) => p.optional).map((p) => p.id)))
    for (const p of asked) same(await me.test(`purpose-${p}`).getByRole('switch').first().isVisible(), true, `a switch for ${p}`)
    same(await me.test('needed').getByRole('switch').count(), 0, 'switches of what is needed')
    const all = me.test('purpose-diagnostics').getByRole('switch').first()
    me.count()
    await me.tap(all)
    await me.tap(me.page.getByRole('dialog').getByRole('button', { name: me.say('consents.yes'), exact: true }))
    await me.until('it is allowed', async () => (await all.getAttribute('aria-checked')) === 'true')
    const toGive = me.taps
    const state = () => me.page.evaluate(() => fetch('api/v1/consents').then((r) => r.json()).then((c) => c.current.find((x) => x.purpose === 'diagnostics' && !x.camera_id)?.state))
    same(await state(), 'given', 'what holds')
    me.count()
    await me.tap(all)
    await me.tap(me.test('confirm'))
    await me.until('it is taken back', async () => (await all.getAttribute('aria-checked')) === 'false')
    atMost(me.taps, toGive, 'taps to take back')
    same(await state(), 'withdrawn', 'what holds')
    await me.page.reload()
    await me.test('decisions').getByText(me.say('consent.withdrawn')).first().waitFor()
    await forTheBook(me.page, 'consents', { height: 900 })
    // What was agreed to leads to the policy it was made under.
    await me.tap(me.test('decisions').getByRole('link').first())
    await me.page.getByRole('heading', { name: me.say('policy.title'), level: 1 }).waitFor()
    await me.test('versions').locator('strong').waitFor()
    await me.page.goBack()
    await me.test('decisions').waitFor()
    // Taking something back ends the copy that was made before.
    await me.go('nav.privacy')
    await me.test('copy-over').waitFor()
    return `${toGive} taps to give`
  })
}
