// The operator has to tell people something, and they read it.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { same } from '../lib/tests.js'
import { barriers, forTheBook, leftEnglish, portraits, rawWords } from '../lib/look.js'
import { command, startCandor } from '../lib/processes.js'
import { Person } from '../lib/person.js'

const nora = { name: 'Nora Notice', email: 'nora@example.org', password: 'seven lamps along the canal' }
const said = {
  en: {
    facts: 'On 3 May somebody else read the names of cameras in a copy of our database.',
    effect: 'They may know what you call your cameras. They saw no picture and no password.',
    measures: 'The copy was taken down the same day, and its keys were destroyed.',
    advice: 'There is nothing you have to do. If a name tells where you live, change it.',
    remedies: 'Write to privacy@example.org, or to the data protection authority.',
  },
  'zh-Hans': {
    facts: '5 月 3 日，有人从我们的一份数据库副本中看到了摄像头的名称。',
    effect: '对方可能知道您给摄像头起的名称，但没有看到任何画面和密码。',
    measures: '该副本当天即被撤下，其密钥已销毁。',
    advice: '您不需要做任何事。如果名称透露了您的住址，请修改它。',
    remedies: '请写信至 privacy@example.org，或联系数据保护机构。',
  },
}
const texts = `texts:\n${Object.entries(said)
  .map(([lang, parts]) => `  ${lang}:\n${Object.entries(parts).map(([k, v]) => `    ${k}: ${JSON.stringify(v)}\n`).join('')}`)
  .join('')}`

export function notices({ test }) {
  test('an incident is told: without mail everybody may read it, and whom it concerns reads it at home', async ({ browser, folder }) => {
    const house = await startCandor(folder, 'incident', { webrtc: false, more: ['--mail.outbox=false'] })
    const me = await Person.open(browser, house.address)
    const { texts: asked } = await (await me.context.request.get(`${house.address}/api/v1/setup`)).json()
    const set = { ...nora, code: house.code, language: 'en', time_zone: 'Europe/Berlin', recording: 'refused', recording_text_hash: asked.recording.hash, add_demo_camera: true }
    same((await me.context.request.post(`${house.address}/api/v1/setup`, { data: set, headers: { Origin: house.address } })).status(), 201, 'set-up')

    const file = join(folder, 'incident.yaml')
    await writeFile(file, `kind: incident\ncause: mistake\nknown: ${new Date(Date.now() - 3600_000).toISOString()}\naffects: {everybody: true}\n${texts.replace(/ {4}remedies.*\n/, '')}`)
    const half = await command(folder, 'incident', 'notice', 'declare', file).catch((e) => e.stderr)
    same(/remedies/.test(half), true, `half a notice is refused: ${half}`)
    await writeFile(file, `kind: incident\ncause: mistake\nknown: ${new Date(Date.now() - 3600_000).toISOString()}\naffects: {everybody: true}\n${texts}`)
    same(/concerns 1 person/.test(await command(folder, 'incident', 'notice', 'declare', file)), true, 'it is declared')

    // There is no mail here, so soon everybody may read it, in their language.
    const visitor = await Person.open(browser, house.address)
    for (let i = 0; i < 90; i++) {
      if ((await (await visitor.context.request.get(`${house.address}/api/v1/notices/open`)).json()).length) break
      await new Promise((r) => setTimeout(r, 1000))
    }
    await visitor.page.reload()
    await visitor.page.getByRole('button', { name: '简体中文' }).click()
    await visitor.page.getByRole('link', { name: '重要通知' }).click()
    await visitor.page.getByText(said['zh-Hans'].facts).waitFor()
    same([...(await barriers(visitor.page)), ...(await rawWords(visitor.page)), ...(await leftEnglish(visitor.page, []))], [], 'barriers')
    await portraits(visitor.page, 'notices', 'zh-Hans')
    await visitor.close()
    await me.page.goto(house.address)
    const card = me.test('notice')
    await card.getByText(said.en.advice).waitFor()
    same([...(await barriers(me.page)), ...(await rawWords(me.page))], [], 'barriers')
    await portraits(me.page, 'notice', 'en')
    await forTheBook(me.page, 'notice', { height: 900 })
    await me.tap(me.button(me.say('notices.read')))
    await card.waitFor({ state: 'detached' })
    await me.page.reload()
    await me.test('tile').first().waitFor()
    same(await card.count(), 0, 'it is shown again after it was read')
    await me.close()
    await house.stop()
  })
}
