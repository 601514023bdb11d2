// What was deleted and decided is proven by a file, without the server.

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { same } from '../lib/tests.js'
import { verify } from '../lib/processes.js'

export function log({ test }) {
  test('the receipts of a deletion and of a consent are checked by the program alone', async ({ me, folder, about }) => {
    const key = await (await me.context.request.get(`${me.address}/log/key`)).text()
    await me.page.goto(me.address + about.receipt)
    await me.test('receipt-proof').waitFor()
    const [download] = await Promise.all([me.page.waitForEvent('download'), me.page.getByRole('link', { name: me.say('receipt.download') }).click()])
    const erased = join(folder, 'erased.json')
    await download.saveAs(erased)
    same(((await verify(erased, '--key', key.trim())).match(/^ok /gm) ?? []).length, 3, 'three checks of the deletion')

    await me.page.goto(`${me.address}/privacy/consents`)
    const [second] = await Promise.all([me.page.waitForEvent('download'), me.test('consent-receipt').first().click()])
    const agreed = join(folder, 'agreed.json')
    await second.saveAs(agreed)
    same(/kind consent/.test(await verify(agreed, '--key', key.trim())), true, 'the consent is in the log')

    await writeFile(erased, (await readFile(erased, 'utf8')).replace('"what":"', '"what":"x'))
    const refused = await verify(erased, '--key', key.trim()).catch((e) => e.stderr)
    same(/NOT GOOD/.test(refused), true, `a changed receipt: ${refused}`)
  })
}
