import { api, handleError, type Problem, type Receipt } from '../api'
import { cameras } from '../managers/cameras.svelte'
import { receipts } from '../managers/receipts.svelte'
import { toasts } from '../managers/toasts.svelte'
import { t } from '../words/index.svelte'

/** Acts on the recording of one camera: pause, allow, stop and delete. */
export class Recording {
  busy = $state(false)
  problem = $state<Problem | null>(null)

  constructor(readonly camera: string) {}

  pause(paused: boolean) {
    return this.#act(async () => {
      cameras.put(await api.changeCamera(this.camera, { recording_mode: paused ? 'paused' : 'on' }))
      toasts.show(paused ? t('recording.pausedToast') : t('recording.onToast'), { tone: 'ok' })
    })
  }

  /** Withdraws: stops within a second and destroys what was recorded. */
  async withdraw(textHash: string): Promise<Receipt | null> {
    let receipt: Receipt | null = null
    await this.#act(async () => {
      const answer = await api.consent(this.camera, 'recording', 'withdrawn', textHash)
      receipt = answer.receipt ?? null
      if (receipt) receipts.add(receipt)
      await cameras.load()
    })
    return receipt
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

/** The text a person is asked, and the hash that says which text it was. */
export async function recordingText(): Promise<{ text: string; hash: string }> {
  return (await api.setup()).texts.recording
}
