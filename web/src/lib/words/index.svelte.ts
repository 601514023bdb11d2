import type { Args, Message } from './icu'
import { format } from './icu'
import type { Messages } from './generated/messages'

export type Key = keyof Messages
export type Lang = 'en' | 'zh-Hans'
export const languages: { id: Lang; name: string }[] = [
  { id: 'en', name: 'English' },
  { id: 'zh-Hans', name: '简体中文' },
]

type Catalogue = Partial<Record<Key, Message>>
const loaders: Record<Lang, () => Promise<{ default: unknown }>> = {
  en: () => import('./generated/en'),
  'zh-Hans': () => import('./generated/zh-Hans'),
}

/** The language of the app: set before first paint, changed without a reload. */
class Words {
  lang = $state<Lang>('en')
  #catalogue = $state.raw<Catalogue>({})

  async use(lang: Lang) {
    this.#catalogue = (await loaders[lang]()).default as Catalogue
    this.lang = lang
    document.documentElement.lang = lang
    try {
      localStorage.setItem('candor.language', lang)
    } catch {
      // a browser without storage still speaks
    }
  }

  say(key: Key, args?: Args): string {
    const message = this.#catalogue[key]
    return message === undefined ? key : format(message, args, this.lang)
  }
}

export const words = new Words()

/** The sentence of a key, with its arguments checked by type. */
export function t<K extends Key>(key: K, ...rest: Messages[K] extends undefined ? [] : [args: Messages[K]]): string {
  return words.say(key, rest[0] as Args)
}

export function isLang(x: unknown): x is Lang {
  return x === 'en' || x === 'zh-Hans'
}
