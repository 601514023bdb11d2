// Yesterday at 15:10: the timeline, footage, a clip to keep, gaps with their reason.

import { expect, same, atMost } from '../lib/tests.js'
import { say } from '../lib/person.js'
import { probe } from '../lib/processes.js'
import { barriers, forTheBook, portraits, rawWords } from '../lib/look.js'

const clock = (ms) => new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit', timeZone: 'Europe/Berlin' }).format(ms)
const timeline = (me) =>
  me.page.evaluate((id) => fetch(`api/v1/cameras/${id}/timeline?from=${new Date(Date.now() - 36e5).toISOString()}&to=${new Date().toISOString()}`).then((r) => r.json()), new URL(me.page.url()).pathname.split('/').pop())
const shown = (me) => me.page.locator('.stage video:not(.hidden)')
const playing = (me) => me.until('footage plays', async () => (await me.test('stage').getAttribute('data-footage')) === 'playing')

export function time({ test }) {
  test('what was recorded is on the timeline, painted and told', async ({ me, about }) => {
    const range = await me.until('12 s of footage', async () => {
      const { ranges } = await timeline(me)
      const last = ranges.at(-1)
      return last && Date.parse(last.to) - Date.parse(last.from) > 12_000 ? last : false
    }, 60_000)
    about.from = Date.parse(range.from)
    await me.until('footage painted', () => me.page.locator('[data-test=timeline] canvas').first().evaluate((c) => {
      const probe = document.createElement('i')
      probe.style.color = 'var(--ok)'
      c.parentElement.append(probe)
      const [r, g, b] = getComputedStyle(probe).color.match(/\d+/g).map(Number)
      probe.remove()
      // Read from a copy: a canvas that exists cannot be told that it is read often, and the browser complains.
      const copy = new OffscreenCanvas(c.width, c.height).getContext('2d', { willReadFrequently: true })
      copy.drawImage(c, 0, 0)
      const { data } = copy.getImageData(0, 0, c.width, c.height)
      let n = 0
      for (let i = 0; i < data.length; i += 4) n += Math.abs(data[i] - r) < 8 && Math.abs(data[i + 1] - g) < 8 && Math.abs(data[i + 2] - b) < 8 && data[i + 3] > 200
      return n > 50
    }))
    await me.test('footage-list').getByRole('button').first().waitFor()
  })

  test('a typed time: G, the time, Enter', async ({ me, about }) => {
    me.count()
    const at = Math.floor((about.from + 2500) / 1000) * 1000
    await me.key('g')
    await me.dialog()
    await me.type(clock(at))
    await me.key('Enter')
    await playing(me)
    await me.until(`the moment ${clock(at)} is shown`, async () => {
      const shows = await shown(me).evaluate((v) => v.currentTime)
      return shows >= 0 && /at=/.test(me.page.url())
    })
    const place = Date.parse(new URL(me.page.url()).searchParams.get('at'))
    atMost(Math.abs(place - at), 4000, 'ms from the typed moment')
    same(me.taps, 0, 'H3, taps')
    atMost(me.keys, 10, 'H3, keys')
    return `${me.keys} keys`
  })

  test('by the hour: two taps', async ({ me }) => {
    me.count()
    await me.tap(me.test('goto'))
    await me.tap(me.page.getByRole('dialog').locator('[data-test=hours-of-day]').first().getByRole('button', { disabled: false }).last())
    await me.page.getByRole('dialog').waitFor({ state: 'detached' })
    await playing(me)
    atMost(me.taps, 2, 'H3, taps')
  })

  test('an hour of yesterday: two taps', async ({ me }) => {
    // Nobody waits a day for a test: the calendar and the ranges of yesterday are made up.
    const day = 86_400_000
    const key = (at) => new Intl.DateTimeFormat('en-CA', { timeZone: 'Europe/Berlin' }).format(at)
    const [today, yesterday] = [key(Date.now()), key(Date.now() - day)]
    await me.page.route(/\/api\/v1\/cameras\/[^/]+\/(days|timeline)/, async (route) => {
      const answer = await route.fetch()
      const body = await answer.json()
      const from = new URL(route.request().url()).searchParams.get('from')
      if (body.days) body.days.push({ ...body.days.find((d) => d.day === today), day: yesterday, seconds: 86_400 })
      else if (key(Date.parse(from)) === yesterday) body.ranges = [{ ...body.ranges?.[0], from, to: new Date(Date.parse(from) + day - 1000).toISOString() }]
      await route.fulfill({ response: answer, json: body })
    })
    await me.page.reload()
    await me.test('timeline').waitFor()
    me.count()
    await me.tap(me.test('goto'))
    const earlier = me.page.locator(`[data-test=hours-of-day][data-day="${yesterday}"]`)
    await earlier.getByRole('button', { name: '09', disabled: false }).waitFor()
    same([...(await barriers(me.page)), ...(await rawWords(me.page))], [], 'barriers and raw words')
    await portraits(me.page, 'goto-yesterday', 'en')
    await me.expecting(/status of 404/, async () => {
      await me.tap(earlier.getByRole('button', { name: '09' }))
      await me.page.getByRole('dialog').waitFor({ state: 'detached' })
      await me.until('nine o’clock yesterday', () => me.page.evaluate(() => new URL(location.href).searchParams.get('at')?.replace(/\d\d\.\d+Z$/, '')))
      await me.page.waitForTimeout(500)
    })
    const at = Date.parse(new URL(me.page.url()).searchParams.get('at'))
    same([key(at), new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Berlin', hour: '2-digit' }).format(at)], [yesterday, '09'], 'where it stands')
    atMost(me.taps, 2, 'H3, taps')
    await me.expecting(/status of 404/, async () => {
      await me.page.unrouteAll()
      await me.page.goto(me.page.url().split('?')[0])
      await me.test('stage').waitFor()
    })
    await me.tap(me.test('goto'))
    await me.tap(me.page.getByRole('dialog').locator('[data-test=hours-of-day]').first().getByRole('button', { disabled: false }).last())
    await playing(me)
  })

  test('footage plays, with sound', async ({ me }) => {
    await me.tap(me.test('sound'))
    await me.plays(shown(me), 'footage')
    await me.until('sound is heard', () => shown(me).evaluate((v) => !v.muted && v.volume > 0 && v.webkitAudioDecodedByteCount > 0))
    await me.tap(me.test('sound'))
    await me.until('sound off', () => shown(me).evaluate((v) => v.muted))
  })

  test('scrubbing shows pictures under the finger', async ({ me }) => {
    const strip = me.page.locator('[data-test=timeline] canvas').first()
    const box = await strip.boundingBox()
    const frames = []
    const listen = (r) => /frame\.jpg/.test(r.url()) && frames.push(r.status())
    me.page.on('response', listen)
    const { oldest, newest } = await me.page.evaluate(() => ({ oldest: Number(document.querySelector('[role=slider]').getAttribute('aria-valuenow')), newest: 0 }))
    expect(oldest > 0 && newest === 0, 'the slider says where it is')
    await me.page.mouse.move(box.x + box.width * 0.95, box.y + box.height / 2)
    await me.page.mouse.down()
    for (let i = 0; i <= 8; i++) {
      await me.page.mouse.move(box.x + box.width * (0.95 - i * 0.02), box.y + box.height / 2)
      await me.page.waitForTimeout(60)
    }
    await me.until('a preview', () => me.page.locator('.frame img.cover').last().evaluate((i) => i.naturalWidth > 0 && /frame\.jpg/.test(i.src)).catch(() => false))
    await forTheBook(me.page, 'camera', { height: 860 })
    await me.page.mouse.up()
    me.page.off('response', listen)
    expect(frames.length > 0 && frames.every((s) => s === 200), `previews ${frames}`)
    return `${frames.length} previews`
  })

  test('Back restores the place', async ({ me }) => {
    await me.tap(me.test('footage-list').getByRole('button').last())
    await playing(me)
    await me.tap(me.test('play'))
    await me.until('it stands still', async () => (await me.test('stage').getAttribute('data-footage')) === 'paused')
    const before = new URL(me.page.url())
    await me.tap(me.link(me.say('camera.settings')))
    await me.page.getByRole('heading', { name: say('retention.title') }).waitFor()
    await me.page.goBack()
    await me.test('stage').waitFor()
    same(await me.test('stage').getAttribute('data-mode'), 'footage', 'footage again')
    same(new URL(me.page.url()).search, before.search, 'the same moment')
    await me.until('the picture of that moment', () => shown(me).evaluate((v) => v.readyState >= 2 && v.paused))
  })

  test('[ and ] cut a clip that any player opens', async ({ me, folder }) => {
    await me.page.keyboard.press('End')
    await me.until('live', async () => (await me.test('stage').getAttribute('data-mode')) === 'live')
    me.count()
    await me.tap(me.test('footage-list').getByRole('button').last())
    await playing(me)
    await me.key('k')
    await me.key('[')
    await me.key('ArrowRight')
    await me.until('5 s on', async () => /from=/.test(me.page.url()))
    await me.key(']')
    const link = me.test('download')
    await link.waitFor()
    const [download] = await Promise.all([me.page.waitForEvent('download'), me.tap(link)])
    const file = `${folder}/clip.mp4`
    await download.saveAs(file)
    const is = await probe(file)
    expect(is.codec === 'h264' && is.width === 768 && is.pictures >= 40 && is.sound > 50 && is.seconds > 4 && is.seconds < 9, `the clip is ${JSON.stringify(is)}`)
    atMost(me.taps, 3, 'taps for a clip')
    return `${me.taps} taps, ${me.keys} keys, ${is.pictures} pictures in ${is.seconds.toFixed(1)} s`
  })

  test('pausing recording leaves a gap that says why', async ({ me }) => {
    await me.tap(me.button(me.say('cut.close')))
    await me.page.keyboard.press('End')
    const state = me.test('recording-state')
    const record = me.test('recording').getByRole('switch', { name: me.say('recording.switch') })
    await me.tap(record)
    await state.getByText(me.say('recording.paused')).waitFor()
    const { ranges } = await timeline(me)
    const last = ranges.at(-1).to
    await me.page.waitForTimeout(4000)
    const later = (await timeline(me)).ranges.at(-1).to
    atMost(Date.parse(later) - Date.parse(last), 1000, 'ms recorded after the switch')
    await me.tap(record)
    await state.getByText(me.say('recording.on'), { exact: true }).waitFor()
    const { gaps } = await me.until('the gap', async () => {
      const line = await timeline(me)
      return line.gaps.some((g) => g.reason === 'recording_off') && Date.parse(line.ranges.at(-1).to) > Date.parse(later) + 1000 ? line : false
    })
    const sentence = gaps.find((g) => g.reason === 'recording_off').sentence
    await me.test('footage-list').getByText(sentence).first().waitFor()
    return sentence
  })
}
