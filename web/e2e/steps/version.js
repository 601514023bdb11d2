// A brand publishes a second version of its policy, and somebody who agreed to the first is asked.

import { same } from '../lib/tests.js'
import { barriers, forTheBook, leftEnglish, portraits, rawWords } from '../lib/look.js'
import { Person } from '../lib/person.js'
import { ownPolicy, startCandor } from '../lib/processes.js'

const vera = { name: 'Vera Version', email: 'vera@example.org', password: 'seven lamps along the canal' }
const dates = (published, effective) => [
  ['policy.yaml', 'published: "2026-11-22"', `published: "${published}"`],
  ['policy.yaml', 'effective: "2026-11-22"', `effective: "${effective}"`],
]

export function version({ test }) {
  test('a material change asks, and turns nothing on before a yes; not now costs nothing @P326 @P327', async ({ browser, folder }) => {
    const first = await ownPolicy(folder, 'policy-1', dates('2026-01-01', '2026-01-01'))
    const fields = '[endpoint, encrypted text, urgency, time to live]'
    const changes = [['policy.yaml', 'version: 1\n', 'version: 2\n'], ...dates('2026-02-01', '2026-03-01'), ['recipients.yaml', fields, fields.replace(']', ', language]')]]
    const second = await ownPolicy(folder, 'policy-2', changes, first)

    let brand = await startCandor(folder, 'brand', { webrtc: false, more: [`--policy.folder=${first}`] })
    const you = await Person.open(browser, brand.address)
    const { texts } = await (await you.context.request.get(`${brand.address}/api/v1/setup`)).json()
    const set = { ...vera, code: brand.code, language: 'en', time_zone: 'Europe/Berlin', recording: 'given', recording_text_hash: texts.recording.hash, add_demo_camera: true }
    same((await you.context.request.post(`${brand.address}/api/v1/setup`, { data: set, headers: { Origin: brand.address } })).status(), 201, 'set-up')
    await you.close()
    await brand.stop()

    brand = await startCandor(folder, 'brand', { webrtc: false, more: [`--policy.folder=${second}`], again: true })
    const vee = await Person.open(browser, brand.address)
    vee.allow(/status of 409.*\/whep/)
    await vee.field('account.email').fill(vera.email)
    await vee.field('account.password').fill(vera.password)
    await vee.tap(vee.button(vee.say('signin.enter')))
    const card = vee.test('policy-waiting')
    await card.getByText(vee.say('standing.class.recipients')).waitFor()
    const seen = async () => [...(await barriers(vee.page)), ...(await rawWords(vee.page))]
    same(await seen(), [], 'barriers')
    await portraits(vee.page, 'policy-waiting', 'en')
    await forTheBook(vee.page, 'policy-waiting', { height: 900 })
    const push = async () => (await vee.page.evaluate(() => fetch('api/v1/purposes').then((r) => r.json()))).find((p) => p.id === 'push').not_agreed ?? false
    same(await push(), true, 'push is off')
    vee.count()
    await vee.tap(vee.test('policy-decline'))
    await card.waitFor({ state: 'detached' })
    same(await push(), true, 'push is off after not now')
    await vee.page.reload()
    await vee.test('tile').first().waitFor()
    same(await card.count(), 0, 'asked again')

    await vee.go('nav.privacy')
    await card.waitFor()
    await vee.test('policy-under').getByText('1').waitFor()
    await vee.tap(vee.test('policy-agree'))
    await card.waitFor({ state: 'detached' })
    await vee.test('policy-under').getByText('2').waitFor()
    same(await push(), false, 'push is off after a yes')
    same(await seen(), [], 'barriers')
    await vee.close()
    await brand.stop()
  })
}
