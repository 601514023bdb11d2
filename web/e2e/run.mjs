// The whole journey in a real browser against the real binary: `npm run e2e`.
//
// Prints one line a step and at the end `N passed, 0 failed`. Pictures of every page are put into e2e/out/.
//
//   PICTURES=1          also write the pictures of README and guide (guide/pictures/)
//   E2E_BINARY=path  default bin/candor  E2E_GO2RTC=path   a built go2rtc instead of building it
//   E2E_CHROMIUM=path     default /usr/bin/chromium

import { readdirSync } from 'node:fs'
import { makeFolder, removeFolder, startCandor, startForeign, startLocked, stopAll } from './lib/processes.js'
import { openBrowser, Person } from './lib/person.js'
import { broken, Journey, result } from './lib/tests.js'
import { axeRuns } from './lib/look.js'
import { no } from './steps/no.js'
import { begin } from './steps/begin.js'
import { time } from './steps/time.js'
import { add } from './steps/add.js'
import { find } from './steps/find.js'
import { events, offered, watchful } from './steps/events.js'
import { goodbye, rights } from './steps/rights.js'
import { share } from './steps/share.js'
import { signUp } from './steps/signup.js'
import { messages } from './steps/messages.js'
import { copies } from './steps/copy.js'
import { version } from './steps/version.js'
import { log } from './steps/log.js'
import { promises } from './steps/promises.js'
import { notices } from './steps/notices.js'
import { offline } from './steps/offline.js'
import { pages, quiet } from './steps/pages.js'

const began = performance.now()
const folder = await makeFolder()
let passed = false
const browser = await openBrowser()
try {
  const [quietServer, server, foreign, locked] = await Promise.all([startCandor(folder, 'quiet', { webrtc: false }), startCandor(folder, 'owner', { webrtc: true }), startForeign(folder), startLocked()])

  const whole = new Journey('owner')
  const walked = [begin, watchful, offered, time, messages, share, add, find, rights, copies, signUp, version, notices, promises, log, pages, offline, events, quiet, goodbye]
  for (const part of walked) part(whole)
  for (const file of readdirSync(`${import.meta.dirname}/steps`)) {
    for (const [name, part] of Object.entries(await import(`./steps/${file}`))) {
      if (typeof part === 'function' && part !== no && !walked.includes(part)) throw new Error(`steps/${file}: nobody walks ${name}`)
    }
  }

  for (const journey of [no, whole]) {
    const me = await Person.open(browser, journey === no ? quietServer.address : server.address)
    await journey.run({
      browser, folder, foreign, locked, server, me,
      quiet: quietServer,
      about: {},
      stranger: (path) => Person.open(browser, server.address + path),
      async failed(name) {
        await me.page.screenshot({ path: `${import.meta.dirname}/out/failed-${name.replaceAll(/\W+/g, '-')}.png` }).catch(() => {})
        for (const c of me.complaints) console.log(`      console: ${c}`)
        for (const r of me.open) console.log(`      without an end: ${r.method()} ${r.url()} ${r.resourceType()}`)
        console.log(`      at ${me.page.url()}; logs in ${folder}`)
      },
    })
    await me.close()
  }
} catch (e) {
  broken(e)
} finally {
  await browser.close()
  await stopAll()
  console.log(`${((performance.now() - began) / 1000).toFixed(0)} s, ${axeRuns()} pages by axe`)
  passed = result()
  if (passed) await removeFolder(folder)
  process.exitCode = passed ? 0 : 1
}
