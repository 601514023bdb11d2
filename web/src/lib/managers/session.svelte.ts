import { api, Problem, type Account, type SetupState } from '../api'
import { whenSignedOut } from '../api/client'
import { isLang, words } from '../words/index.svelte'
import { cameras } from './cameras.svelte'
import { health } from './health.svelte'
import { eventList, unseen } from './event-list.svelte'
import { feed } from './events.svelte'
import { keep, recall } from './memory'
import { isTheme, theme } from './theme.svelte'

type Stage = 'asking' | 'unreachable' | 'setup' | 'signin' | 'in'

/** Who is here: decides between set-up, sign-in and the app. */
class SessionManager {
  stage = $state<Stage>('asking')
  account = $state<Account | null>(null)
  setup = $state<SetupState | null>(null)
  problem = $state<Problem | null>(null)
  /** Why the person sees the sign-in page: they signed out, the session ended, the account is gone. */
  left = $state<'' | 'ended' | 'out' | 'closed'>('')

  constructor() {
    whenSignedOut(() => this.#leave('ended'))
    feed.on('session.ended', () => this.#leave('ended'))
    addEventListener('online', () => this.stage === 'unreachable' && void this.start())
  }

  /** Asks the server who is here. `ready` = whatever must be there before an answer can be told in words. */
  async start(ready?: Promise<unknown>) {
    this.stage = 'asking'
    // The session's cookie is out of a page's reach. Only who signed out in this browser needs no asking; where nothing is
    // remembered there may be a session all the same, except before the set-up.
    const mark = recall('here')
    const first = api.setup()
    const here = mark === 'no' ? null : mark === 'yes' ? api.session() : first.then((s) => (s.needed ? null : api.session()))
    const [setup, session] = await Promise.allSettled([first, here, ready])
    if (setup.status === 'fulfilled') this.setup = setup.value
    if (session.status === 'fulfilled' && session.value) return this.enter(session.value.account)
    const why: unknown = session.status === 'rejected' ? session.reason : setup.status === 'rejected' ? setup.reason : null
    if (why === null || (why instanceof Problem && why.status === 401)) this.stage = this.setup?.needed ? 'setup' : 'signin'
    else {
      // That nobody answers is known before the words are there; the page finds its own for it.
      this.problem = why instanceof Problem && why.code !== 'network' ? why : null
      this.stage = 'unreachable'
    }
  }

  enter(account: Account) {
    this.account = account
    this.left = ''
    if (isLang(account.language) && account.language !== words.lang) void words.use(account.language)
    if (isTheme(account.theme)) theme.set(account.theme)
    this.stage = 'in'
    keep('here', 'yes')
    feed.open()
    void cameras.load()
  }

  async signOut() {
    await api.signOut()
    this.#leave('out')
  }

  closed() {
    this.#leave('closed')
    void api.setup().then((s) => {
      this.setup = s
      if (s.needed) this.stage = 'setup'
    })
  }

  #leave(why: 'ended' | 'out' | 'closed') {
    keep('here', 'no')
    if (this.stage !== 'in') return
    feed.close()
    cameras.forget()
    health.forget()
    eventList.forget()
    unseen.forget()
    this.account = null
    this.left = why
    this.stage = 'signin'
  }
}

export const session = new SessionManager()
