// Which version of the policy holds for the person, and what waits for their answer.
import { api, handleError, type Problem, type Standing } from '../api'

class StandingManager {
  now = $state<Standing | null>(null)
  problem = $state<Problem | null>(null)
  /** A version that waits and was not answered yet. */
  readonly asks = $derived(this.now?.waiting && !this.now.waiting.declined ? this.now.waiting : undefined)

  async load() {
    try {
      this.now = await api.standing()
    } catch {
      this.now = null // the next visit tries again; what is off stays off
    }
  }

  async answer(hash: string, answer: 'agreed' | 'declined') {
    this.problem = null
    try {
      this.now = await api.answerPolicy(hash, answer)
      return true
    } catch (e) {
      this.problem = handleError(e)
      return false
    }
  }
}

export const standing = new StandingManager()
