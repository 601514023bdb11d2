// Going about with the Tab key alone.

import { expect } from './tests.js'

/** Presses Tab until the cursor stands at the element. */
export async function reach(me, locator, limit = 60) {
  await locator.first().waitFor()
  for (let i = 0; i < limit; i++) {
    if (await locator.first().evaluate((e) => e === document.activeElement)) return i
    await me.key('Tab')
  }
  throw new Error(`not reached by ${limit} Tabs: ${locator}`)
}

/** Goes once through everything the Tab key reaches; each stop must have a name, a visible mark and must not lie under a bar. */
export async function tour(me, limit = 120) {
  await me.page.evaluate(() => {
    document.activeElement?.blur()
    getSelection()?.removeAllRanges()
    scrollTo(0, 0)
  })
  const stops = []
  for (let i = 0; i < limit; i++) {
    await me.key('Tab')
    const stop = await me.page.evaluate(() => {
      const e = document.activeElement
      if (!e || e === document.body) return null
      if (e.dataset.toured === String(window.tourNumber ?? 0)) return 'again'
      e.dataset.toured = String(window.tourNumber ?? 0)
      const text = e.getAttribute('aria-label') ?? (e.labels?.[0]?.innerText || e.innerText || e.title || '')
      const marks = [e, e.closest('label')].filter(Boolean).map((x) => getComputedStyle(x))
      const marked = marks.some((s) => (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0) || s.boxShadow !== 'none')
      const box = e.getBoundingClientRect()
      // Seen = some of its corners or its middle is on top (2.4.11 asks for not entirely hidden).
      const points = [[0.5, 0.5], [0.1, 0.1], [0.9, 0.1], [0.1, 0.9], [0.9, 0.9]].map(([x, y]) => [box.left + box.width * x, box.top + box.height * y])
      const seen = points.some(([x, y]) => {
        const top = document.elementFromPoint(x, y)
        return top && (e.contains(top) || top.contains(e) || e.closest('label')?.contains(top))
      })
      return { text: text.trim().split('\n')[0], html: e.outerHTML.slice(0, 120), marked, seen }
    })
    if (stop === null || stop === 'again') break
    stops.push(stop)
  }
  await me.page.evaluate(() => (window.tourNumber = (window.tourNumber ?? 0) + 1))
  expect(stops.length > 2 && stops.length < limit, `the Tab key went through ${stops.length} stops`)
  const bad = stops.filter((s) => !s.text || !s.marked || !s.seen)
  expect(bad.length === 0, `stops of the Tab key without name, mark or place: ${JSON.stringify(bad, null, 1)}`)
  return stops.map((s) => s.text)
}
