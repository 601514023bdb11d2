// Every address of the app is a function here; nothing else writes one by hand.

type Query = Record<string, string | number | undefined | null>

function join(path: string, query: Query = {}): string {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) if (value !== undefined && value !== null && value !== '') search.set(key, String(value))
  const text = search.toString()
  return text ? `${path}?${text}` : path
}

/** State of the camera page that a link or Back restores. */
export interface CameraView {
  /** The moment shown, RFC 3339; absent = live. */
  at?: string
  /** Width of the detail timeline in seconds. */
  span?: number
  /** Cut marks, RFC 3339. */
  from?: string
  to?: string
}

/** The ways in which a camera is added. */
export const ways = ['network', 'brand', 'address'] as const
export type Way = (typeof ways)[number]
/** What narrows the list of events; the URL holds it. */
export interface EventsView {
  camera?: string
  kind?: string
  /** "no": only what you have not seen. */
  seen?: string
  /** A day of the site, YYYY-MM-DD. */
  day?: string
}

export const route = {
  home: () => '',
  camera: (id: string, view: CameraView = {}) => join(`cameras/${id}`, { ...view }),
  cameraSettings: (id: string) => `cameras/${id}/settings`,
  addCamera: (by?: Way) => join('cameras/add', { by }),
  events: (view: EventsView = {}) => join('events', { ...view }),
  privacy: () => 'privacy',
  consents: () => 'privacy/consents',
  settings: () => 'settings',
  /** With a hash an older version. */
  notices: () => 'notices',
  promises: () => 'promises',
  policy: (hash?: string) => join('policy', { hash }),
  signUp: (invitation?: string) => join('sign-up', { invitation }),
  reset: () => 'reset',
  outbox: () => 'outbox',
  notifications: () => 'notifications',
  receipt: (token: string) => `receipts/${token}`,
  people: () => 'people',
  /** With `enter` whoever is not signed in does so first. */
  invite: (token: string, enter = false) => join(`invite/${token}`, { enter: enter ? 1 : undefined }),
  link: (token: string) => `l/${token}`,
}

export type PageName = 'home' | 'camera' | 'cameraSettings' | 'addCamera' | 'events' | 'privacy' | 'consents' | 'settings' | 'policy' | 'notices' | 'promises' | 'signUp' | 'reset' | 'outbox' | 'receipt' | 'people' | 'invite' | 'link' | 'notifications' | 'stopMail' | 'missing'

const patterns: [RegExp, PageName][] = [
  [/^$/, 'home'],
  [/^cameras\/add$/, 'addCamera'],
  [/^cameras\/(?<id>[^/]+)$/, 'camera'],
  [/^cameras\/(?<id>[^/]+)\/settings$/, 'cameraSettings'],
  [/^events$/, 'events'],
  [/^privacy$/, 'privacy'],
  [/^privacy\/consents$/, 'consents'],
  [/^settings$/, 'settings'],
  [/^policy$/, 'policy'],
  [/^notices$/, 'notices'],
  [/^promises$/, 'promises'],
  [/^sign-up$/, 'signUp'],
  [/^reset$/, 'reset'],
  [/^outbox$/, 'outbox'],
  [/^receipts\/(?<id>[^/]+)$/, 'receipt'],
  [/^notifications$/, 'notifications'],
  [/^unsubscribe\/(?<id>[^/]+)$/, 'stopMail'],
  [/^people$/, 'people'],
  [/^invite\/(?<id>[^/]+)$/, 'invite'],
  [/^l\/(?<id>[^/]+)$/, 'link'],
]

export interface Place {
  page: PageName
  id: string
  query: URLSearchParams
}

/** Reads an address relative to the base. */
export function read(address: string): Place {
  const [path = '', search = ''] = address.split('#')[0]!.split('?', 2)
  const clean = path.replace(/^\/+|\/+$/g, '')
  const query = new URLSearchParams(search)
  for (const [pattern, page] of patterns) {
    const found = pattern.exec(clean)
    if (found) return { page, id: decodeURIComponent(found.groups?.id ?? ''), query }
  }
  return { page: 'missing', id: '', query }
}
