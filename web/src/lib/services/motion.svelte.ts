import { api, handleError, type Motion, type MotionChange, type Problem, type Receipt } from '../api'
import { cameras } from '../managers/cameras.svelte'
import { receipts } from '../managers/receipts.svelte'
import { toasts } from '../managers/toasts.svelte'
import { t } from '../words/index.svelte'

/** Acts on the looking for movement of one camera, or of all where none is named. */
export class MotionSwitch {
  busy = $state(false)
  problem = $state<Problem | null>(null)
  now = $state<Motion | null>(null)

  constructor(readonly camera?: string) {}

  load() {
    return this.#act(async () => {
      if (this.camera) this.now = await api.motion(this.camera)
    })
  }

  change(body: MotionChange, said?: string) {
    return this.#act(async () => {
      if (!this.camera) return
      this.now = await api.changeMotion(this.camera, body)
      await cameras.load()
      if (said) toasts.show(said, { tone: 'ok' })
    })
  }

  answer(state: 'given' | 'refused', hash: string) {
    return this.#act(async () => {
      await this.#decide(state, hash)
      if (this.camera) this.now = await api.motion(this.camera)
      await cameras.load()
      if (state === 'given') toasts.show(t('motion.onToast'), { tone: 'ok' })
    })
  }

  /** Withdraws: looking stops within a second and the events are destroyed. */
  async withdraw(hash: string): Promise<Receipt | null> {
    let receipt: Receipt | null = null
    await this.#act(async () => {
      receipt = (await this.#decide('withdrawn', hash)).receipt ?? null
      if (receipt) receipts.add(receipt)
      if (this.camera) this.now = await api.motion(this.camera)
      await cameras.load()
    })
    return receipt
  }

  #decide(state: 'given' | 'refused' | 'withdrawn', hash: string) {
    return this.camera ? api.consent(this.camera, 'motion', state, hash) : api.consentForAll('motion', state, hash)
  }

  async #act(work: () => Promise<void>): Promise<boolean> {
    this.busy = true
    this.problem = null
    try {
      await work()
      return true
    } catch (e) {
      this.problem = handleError(e)
      return false
    } finally {
      this.busy = false
    }
  }
}

/** The text a person is asked about movement, and the hash that says which text it was. */
export async function motionText(): Promise<{ text: string; hash: string }> {
  const found = (await api.purposes()).find((p) => p.id === 'motion')
  return { text: found?.text ?? '', hash: found?.hash ?? '' }
}
