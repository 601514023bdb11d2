// A stranger signs up with a code from the outbox, forgets the password and sets a new one.

import { expect, same } from '../lib/tests.js'
import { read } from '../lib/qr.js'
import { totp } from '../lib/totp.js'
import { Person } from '../lib/person.js'
import { barriers, leftEnglish, portraits, rawWords } from '../lib/look.js'

export const max = { name: 'Max Morgenstern', email: 'max@example.org', password: 'a hammock between two trees' }
const next = 'a hammock over the water'

/** The newest code in the outbox, as somebody reads it who opens the page from the form. */
async function code(me, about) {
  const [page] = await Promise.all([me.context.waitForEvent('page'), me.tap(me.test('outbox-link'))])
  const letter = page.locator('[data-test=letters] li').first()
  await letter.getByText(max.email).waitFor()
  const found = /\d{4} \d{4}/.exec(await letter.innerText())?.[0]
  expect(found, 'a code in the newest letter')
  if (about) await about(page)
  await page.close()
  return found
}

export function signUp({ test }) {
  test('a stranger finds the way to sign up, in two languages, without barriers', async ({ stranger, about }) => {
    const you = (about.max = await stranger('/'))
    await you.tap(you.link(you.say('signup.title')))
    const wrong = []
    const look = async (name, lang) => {
      await portraits(you.page, name, lang, async (theme, width) => {
        if (width !== 768 && lang === 'en') wrong.push(...(await barriers(you.page)).map((b) => `${name} ${theme} ${width}: ${b}`))
      })
      wrong.push(...(await rawWords(you.page)))
    }
    await you.page.getByRole('heading', { name: you.say('signup.title') }).waitFor()
    await you.page.locator('button[lang=zh-Hans]').click()
    await you.page.locator('html[lang=zh-Hans]').waitFor({ state: 'attached' })
    await look('signup', 'zh-Hans')
    wrong.push(...(await leftEnglish(you.page, /Candor|English/g)))
    await you.page.locator('button[lang=en]').click()
    await you.page.locator('html[lang=en]').waitFor({ state: 'attached' })
    await look('signup', 'en')
    await you.field('account.email').fill(max.email)
    await you.tap(you.button(you.say('code.send')))
    await you.test('sent').waitFor()
    await look('signup-code', 'en')
    same(wrong, [], 'barriers and raw words')
    const field = you.page.locator('#mailed-code')
    same(await field.evaluate((f) => [f.autocomplete, f.inputMode, document.activeElement === f]), ['one-time-code', 'numeric', true], 'the field for the code')
  })

  test('a wrong code is told in a sentence; the one from the outbox lets in', async ({ about }) => {
    const you = about.max
    await you.field('account.name').fill(max.name)
    await you.field('account.password').fill(max.password)
    await you.page.locator('#mailed-code').fill('0000 0000')
    await you.expecting(/status of 403/, async () => {
      await you.tap(you.button(you.say('signup.create')))
      await you.page.locator('#mailed-code-error').waitFor()
    })
    same(await you.page.locator('#mailed-code-error').innerText(), you.say('problem.code.wrong'), 'it says')
    same(you.page.url(), `${you.address}/sign-up`, 'still at')
    const wrong = []
    const right = await code(you, async (page) => {
      await portraits(page, 'outbox', 'en', async (theme, width) => {
        if (width !== 768) wrong.push(...(await barriers(page)).map((b) => `outbox ${theme} ${width}: ${b}`))
      })
      wrong.push(...(await rawWords(page)))
    })
    same(wrong, [], 'barriers and raw words')
    await you.page.locator('#mailed-code').fill(right)
    await you.tap(you.button(you.say('signup.create')))
    await you.page.getByText(you.say('home.empty.title')).waitFor()
  })

  test('forgotten: a code sets a new password, and the old one is none', async ({ about }) => {
    const you = about.max
    await you.go('nav.settings')
    await you.tap(you.test('signout'))
    await you.page.getByRole('heading', { name: you.say('signin.title') }).waitFor()
    await you.tap(you.link(you.say('signin.reset')))
    await you.field('account.email').fill(max.email)
    await you.tap(you.button(you.say('code.send')))
    await you.page.locator('#mailed-code').fill(await code(you))
    await you.field('settings.passwordNew').fill(next)
    await you.tap(you.button(you.say('reset.set')))
    await you.page.getByText(you.say('reset.done')).first().waitFor()
    await you.field('account.email').fill(max.email)
    await you.field('account.password').fill(max.password)
    await you.expecting(/status of 401/, async () => {
      await you.tap(you.button(you.say('signin.enter')))
      await you.page.getByText(you.say('problem.session.wrong')).waitFor()
    })
    await you.field('account.password').fill(next)
    await you.tap(you.button(you.say('signin.enter')))
    await you.page.getByText(you.say('home.empty.title')).waitFor()
  })

  test('a second step: set up with an app, asked for, by a recovery code once, and off again', async ({ browser, about }) => {
    const you = about.max
    await you.go('nav.settings')
    await you.tap(you.test('second-begin'))
    await you.field('settings.passwordNow').last().fill(next)
    await you.tap(you.test('second-next'))
    const key = await read(you)
    expect(key.startsWith('otpauth://totp/'), `the QR code says ${key}`)
    same((await you.test('second-key').innerText()).replaceAll(' ', ''), new URL(key).searchParams.get('secret'), 'the key beside it')
    await you.test('second-confirm').scrollIntoViewIfNeeded()
    same(await barriers(you.page), [], 'barriers')
    await portraits(you.page, 'second-step', 'en')
    await you.field('second.code').fill(totp(key, 5))
    await you.expecting(/status of 403/, async () => {
      await you.tap(you.test('second-confirm'))
      await you.page.getByText(you.say('problem.step.wrong')).waitFor()
    })
    await you.field('second.code').fill(totp(key))
    await you.tap(you.test('second-confirm'))
    await you.test('second-codes').waitFor()
    const codes = await you.test('second-codes').locator('code').allInnerTexts()
    same(codes.length, 10, 'recovery codes')
    same(await barriers(you.page), [], 'barriers')
    await you.tap(you.test('second-kept'))
    await you.test('second-drop').waitFor()

    const phone = await Person.open(browser, you.address, { width: 390, height: 844 })
    const enter = async (code) => {
      await phone.field('account.email').fill(max.email)
      await phone.field('account.password').fill(next)
      await phone.tap(phone.button(phone.say('signin.enter')))
      await phone.test('second-ask').waitFor()
      await phone.field('second.code').fill(code)
      await phone.tap(phone.button(phone.say('signin.enter')))
    }
    phone.allow(/status of 40[13]/)
    await enter('000000')
    await phone.page.getByText(phone.say('problem.step.wrong')).waitFor()
    same(await barriers(phone.page), [], 'barriers')
    await portraits(phone.page, 'second-ask', 'en')
    same((await phone.context.request.get(`${you.address}/api/v1/session`)).status(), 401, 'with the password alone')
    await phone.field('second.code').fill(codes[0])
    await phone.tap(phone.button(phone.say('signin.enter')))
    await phone.page.getByText(phone.say('home.empty.title')).waitFor()
    await phone.go('nav.settings')
    await phone.tap(phone.test('signout'))
    await enter(codes[0])
    await phone.page.getByText(phone.say('problem.step.wrong')).waitFor()
    await phone.field('second.code').fill(totp(key, 1))
    await phone.tap(phone.button(phone.say('signin.enter')))
    await phone.test('signout').waitFor()
    await phone.close()

    await you.tap(you.test('second-drop'))
    await you.field('settings.passwordNow').last().fill(next)
    await you.field('second.code').fill(codes[1])
    await you.tap(you.test('second-off'))
    await you.test('second-begin').waitFor()
    await you.go('nav.home')
  })

  test('another browser is signed out from here, and the account goes again', async ({ browser, about }) => {
    const you = about.max
    const phone = await Person.open(browser, you.address, { width: 390, height: 844 })
    await phone.field('account.email').fill(max.email)
    await phone.field('account.password').fill(next)
    await phone.tap(phone.button(phone.say('signin.enter')))
    await phone.page.getByText(phone.say('home.empty.title')).waitFor()
    await you.go('nav.settings')
    phone.allow(/status of 401/)
    await you.tap(you.test('end-others'))
    await phone.page.getByText(phone.say('signin.ended')).waitFor()
    await phone.close()
    const gone = await you.page.evaluate((password) => fetch('api/v1/account', { method: 'DELETE', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ password }) }).then((r) => r.status), next)
    expect(gone === 200 || gone === 202, `the account went with ${gone}`)
    same(you.complaints.filter((c) => !/status of 401/.test(c)), [], 'console')
    same(you.strangers, [], 'requests elsewhere')
    await you.close()
  })
}
