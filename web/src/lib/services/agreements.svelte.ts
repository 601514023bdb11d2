import { api, handleError, type Consent, type Consents, type Problem, type Purpose, type Receipt } from '../api'
import { cameras } from '../managers/cameras.svelte'
import { receipts } from '../managers/receipts.svelte'
import { languages, words } from '../words/index.svelte'

/** The purposes that are about the person, not about cameras. */
const personal = new Set(['push'])

export interface Question {
  question: string
  text: string
  hash: string
}

/** What a person is asked for a purpose: the text begins with its question. */
export async function question(purpose: string): Promise<Question> {
  const found = (await api.purposes(words.lang)).find((p) => p.id === purpose)
  const [first = '', ...rest] = (found?.text ?? '').trim().split(/\n\n+/)
  return { question: first, text: rest.join('\n\n'), hash: found?.hash ?? '' }
}

/** Says yes or no to a purpose: for one camera, or for all (null). A no to what was agreed takes it back. */
export async function decide(purpose: string, camera: string | null, state: 'given' | 'refused' | 'withdrawn', hash: string): Promise<Receipt | null> {
  const { receipt } = camera ? await api.consent(camera, purpose, state, hash) : await api.consentForAll(purpose, state, hash)
  if (receipt) receipts.add(receipt)
  await cameras.load()
  return receipt ?? null
}

/** What there is to agree to, and what was. Of the decision about a camera and the one about all, the newer holds. */
export class Agreements {
  purposes = $state<Purpose[] | null>(null)
  consents = $state<Consents | null>(null)
  problem = $state<Problem | null>(null)
  #texts = $state.raw(new Map<string, string>())

  async load() {
    this.problem = null
    try {
      const [consents, ...spoken] = await Promise.all([api.consents(), ...languages.map((l) => api.purposes(l.id))])
      this.#texts = new Map(spoken.flat().map((p) => [p.hash, p.text]))
      this.purposes = spoken[languages.findIndex((l) => l.id === words.lang)] ?? spoken[0] ?? []
      this.consents = consents
    } catch (e) {
      this.problem = handleError(e)
    }
  }

  get asked(): Purpose[] {
    return (this.purposes ?? []).filter((p) => p.optional)
  }

  get needed(): Purpose[] {
    return (this.purposes ?? []).filter((p) => !p.optional)
  }

  personal = (p: Purpose) => personal.has(p.id)

  /** The newest decision about a camera, or about all of them. */
  given(purpose: string, camera: string): boolean {
    return this.consents?.current.find((c) => c.purpose === purpose && (!c.camera_id || c.camera_id === camera))?.state === 'given'
  }

  /** Whether all cameras are agreed to, some, or none. */
  state(p: Purpose): 'all' | 'some' | 'none' {
    const whole = this.consents?.current.find((c) => c.purpose === p.id && !c.camera_id)?.state === 'given'
    const list = cameras.list ?? []
    if (personal.has(p.id) || !list.length) return whole ? 'all' : 'none'
    const n = list.filter((c) => this.given(p.id, c.id)).length
    return n === list.length ? 'all' : n ? 'some' : 'none'
  }

  /** The text that was on the screen, if it is one of today's. */
  text = (c: Consent) => this.#texts.get(c.text_hash)
}
