// The smallest test runner that does: steps in order, one line each, a journey ends where a step of it fails.

const lines = []

export class Journey {
  #steps = []
  constructor(name) {
    this.name = name
  }
  /** A step. Tags like @P221 at the end of the title name the promises it checks. */
  test = (title, body) => this.#steps.push({ title, body })

  async run(world) {
    for (const [i, { title, body }] of this.#steps.entries()) {
      const began = performance.now()
      const name = title.replaceAll(/\s*@P\d+/g, '')
      try {
        const said = await body(world)
        lines.push({ ok: true })
        console.log(`ok    ${((performance.now() - began) / 1000).toFixed(1).padStart(5)} s  ${this.name}: ${name}${said ? ` (${said})` : ''}`)
      } catch (e) {
        lines.push({ ok: false })
        const left = this.#steps.length - i - 1
        console.log(`FAIL  ${((performance.now() - began) / 1000).toFixed(1).padStart(5)} s  ${this.name}: ${name}\n      ${String(e?.stack ?? e).replaceAll('\n', '\n      ')}${left ? `\n      ${left} more steps of this journey were not taken` : ''}`)
        await world.failed?.(this.name)
        for (let n = 0; n < left; n++) lines.push({ ok: false })
        return
      }
    }
  }
}

/** The run itself broke: counts as a failure. */
export function broken(e) {
  lines.push({ ok: false })
  console.log(`FAIL  ${e?.stack ?? e}`)
}

export function result() {
  const failed = lines.filter((l) => !l.ok).length
  console.log(`${lines.length - failed} passed, ${failed} failed`)
  return failed === 0
}

export function expect(is, what) {
  if (!is) throw new Error(what)
}
export function same(got, want, what) {
  if (JSON.stringify(got) !== JSON.stringify(want)) throw new Error(`${what}: ${JSON.stringify(got)}, want ${JSON.stringify(want)}`)
}
export function atMost(got, limit, what) {
  if (got > limit) throw new Error(`${what}: ${got}, at most ${limit}`)
}
