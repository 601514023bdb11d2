/** A compiled message: text, or parts as scripts/messages.mjs writes them. */
export type Part = string | [name: string, cases?: 0 | Record<string, Part[]>, plural?: 1]
export type Message = string | Part[]
export type Args = Record<string, string | number> | undefined

/** Fills a compiled message. Numbers and plurals follow the language. */
export function format(message: Message, args: Args, lang: string): string {
  if (typeof message === 'string') return message
  let out = ''
  for (const part of message) {
    if (typeof part === 'string') {
      out += part
      continue
    }
    const [name, cases, plural] = part
    const value = args?.[name] ?? ''
    if (cases) {
      const chosen = cases[`=${value}`] ?? cases[plural ? new Intl.PluralRules(lang).select(Number(value)) : String(value)] ?? cases.other ?? []
      out += format(chosen, args, lang)
    } else out += typeof value === 'number' ? new Intl.NumberFormat(lang).format(value) : value
  }
  return out
}
