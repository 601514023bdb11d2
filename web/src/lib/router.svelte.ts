import { read, type Place } from './route'

/** Where the app is served: the page's <base>, written by the server at run time. */
export const base = typeof document === 'undefined' ? 'http://localhost/' : new URL('.', document.baseURI).href

/** An absolute address inside the app. */
export const href = (address: string) => new URL(address, base).href

/** The router: History API, one listener, state in the URL. */
class Router {
  #address = $state('')
  place: Place = $derived(read(this.#address))
  #depth = 0
  /** The person came here by Back or Forward: what was there before is shown again. */
  returned = false

  start() {
    this.#address = this.#here()
    addEventListener('popstate', () => {
      this.returned = true
      this.#address = this.#here()
    })
    document.addEventListener('click', (e) => this.#follow(e))
  }

  /** Goes to an address made by route.*; `replace` keeps Back pointing at where the person came from. */
  go(address: string, how: { replace?: boolean } = {}) {
    if (!how.replace) this.returned = false
    if (how.replace) history.replaceState(history.state, '', href(address))
    else {
      history.pushState({ depth: ++this.#depth }, '', href(address))
      if (read(address).page !== this.place.page) scrollTo(0, 0)
    }
    this.#address = address
  }

  /** Goes back inside the app, or to a fallback when the person came straight here. */
  back(fallback: string) {
    if (((history.state as { depth?: number } | null)?.depth ?? 0) > 0) history.back()
    else this.go(fallback, { replace: true })
  }

  #here() {
    const url = location.href
    return url.startsWith(base) ? url.slice(base.length) : ''
  }

  #follow(e: MouseEvent) {
    if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return
    const link = (e.target as Element | null)?.closest?.('a')
    if (!link || link.target || link.hasAttribute('download') || !link.href.startsWith(base)) return
    const address = link.href.slice(base.length)
    if (address.startsWith('api/')) return
    e.preventDefault()
    this.go(address)
  }
}

export const router = new Router()
