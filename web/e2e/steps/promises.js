// Anybody reads what is promised and how far it can be relied on here.

import { same } from '../lib/tests.js'
import { barriers, forTheBook, rawWords } from '../lib/look.js'

export function promises({ test }) {
  test('every promise has a state that anybody can look up, with what keeps it and what tests it', async ({ stranger }) => {
    const you = await stranger('/policy')
    await you.tap(you.test('to-promises'))
    await you.test('state-watched').waitFor()
    await forTheBook(you.page, 'promises', { height: 900 })
    await you.tap(you.page.getByRole('button', { name: 'Show all 350' }))
    same(await you.test('promises').locator('> li').count(), 350, 'all are listed')
    same(Number(await you.test('state-watched').locator('.num').innerText()) >= 60, true, 'at least sixty are watched')
    await you.test('promise-search').fill('P113')
    const row = you.test('promises').locator('> li')
    same(await row.count(), 1, 'one is found')
    await row.locator('summary').click()
    await row.getByText('internal/housetest TestNoFieldForWhatIsNeverKept').waitFor()
    same([...(await barriers(you.page)), ...(await rawWords(you.page))], [], 'barriers')
    await you.test('promise-search').fill('')
    await you.tap(you.test('state-declared'))
    same(await you.page.getByText('P113', { exact: true }).count(), 0, 'a watched one among the declared')
    await you.close()
  })
}
