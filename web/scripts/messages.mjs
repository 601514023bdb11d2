// Compiles words/*.json (ICU messages, shared with the server) into one module per language, plus the types of
// keys and arguments. The build fails on a key or an argument that one language lacks. Only messages whose key
// stands as a literal in the app's source go into the bundle; sentences that only the server says stay there.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Parses one ICU message into parts: text | [arg] | [arg, {case: parts}] | [arg, {case: parts}, 1] (plural). */
export function parse(source) {
  let at = 0
  const fail = (why) => {
    throw new Error(`${why} at ${at} in: ${source}`)
  }
  const space = () => {
    while (/\s/.test(source[at] ?? '')) at++
  }
  const word = () => {
    const found = /^[\w=-]+/.exec(source.slice(at))
    if (!found) fail('a name is missing')
    at += found[0].length
    return found[0]
  }
  const expect = (sign) => {
    space()
    if (source[at] !== sign) fail(`"${sign}" is missing`)
    at++
  }
  function message(inside, plural) {
    const parts = []
    const add = (text) => {
      if (typeof parts.at(-1) === 'string') parts[parts.length - 1] += text
      else parts.push(text)
    }
    while (at < source.length) {
      const sign = source[at]
      if (sign === '}') {
        if (!inside) fail('stray }')
        break
      } else if (sign === "'" && /['{}]/.test(source[at + 1] ?? '')) {
        add(source[at + 1])
        at += source[at + 1] === "'" ? 2 : source[at + 2] === "'" ? 3 : 2
      } else if (sign === '#' && plural) {
        parts.push([plural])
        at++
      } else if (sign === '{') {
        at++
        parts.push(argument())
      } else {
        add(sign)
        at++
      }
    }
    return parts
  }
  function argument() {
    space()
    const name = word()
    space()
    if (source[at] === '}') return at++, [name]
    expect(',')
    space()
    const kind = word()
    if (kind === 'number') return expect('}'), [name, 0]
    if (kind !== 'plural' && kind !== 'select') fail(`unknown kind ${kind}`)
    expect(',')
    const cases = {}
    for (space(); source[at] !== '}'; space()) {
      if (at >= source.length) fail('unfinished message')
      const key = word()
      expect('{')
      cases[key] = message(true, kind === 'plural' ? name : null)
      expect('}')
    }
    at++
    if (!cases.other) fail('"other" is missing')
    return kind === 'plural' ? [name, cases, 1] : [name, cases]
  }
  return message(false, null)
}

/** Names and types of the arguments of a parsed message. */
export function args(parts, into = {}) {
  for (const part of parts) {
    if (typeof part === 'string') continue
    const [name, cases, plural] = part
    into[name] = plural || cases === 0 ? 'number' : (into[name] ?? (cases ? 'string' : 'string | number'))
    if (cases) for (const inner of Object.values(cases)) args(inner, into)
  }
  return into
}

function sources(dir) {
  return readdirSync(dir, { withFileTypes: true }).flatMap((e) =>
    e.isDirectory() ? (e.name === 'generated' ? [] : sources(join(dir, e.name))) : /\.(ts|svelte)$/.test(e.name) ? [join(dir, e.name)] : [],
  )
}

export function compile(words, used) {
  const [first, ...others] = Object.keys(words)
  const parsed = Object.fromEntries(
    Object.entries(words).map(([lang, all]) => [lang, Object.fromEntries(Object.entries(all).map(([k, v]) => [k, parse(v)]))]),
  )
  const types = []
  const wrong = []
  for (const key of Object.keys(parsed[first]).sort()) {
    const wanted = args(parsed[first][key])
    for (const lang of others) {
      if (!parsed[lang][key]) wrong.push(`${lang} lacks ${key}`)
      else if (Object.keys(args(parsed[lang][key])).sort().join() !== Object.keys(wanted).sort().join()) wrong.push(`${lang} has other arguments in ${key}`)
    }
    const fields = Object.entries(wanted).map(([n, t]) => `${n}: ${t}`)
    types.push(`  '${key}': ${fields.length ? `{ ${fields.join('; ')} }` : 'undefined'}`)
  }
  for (const lang of others) for (const key of Object.keys(parsed[lang])) if (!parsed[first][key]) wrong.push(`${first} lacks ${key}`)
  if (wrong.length) throw new Error(`words disagree:\n  ${wrong.join('\n  ')}`)
  const plain = (parts) => (parts.length === 1 && typeof parts[0] === 'string' ? parts[0] : parts)
  const modules = Object.fromEntries(
    Object.entries(parsed).map(([lang, all]) => {
      const picked = Object.entries(all).filter(([key]) => used.has(key))
      return [lang, `const messages: Record<string, unknown> = ${JSON.stringify(Object.fromEntries(picked.map(([k, v]) => [k, plain(v)])))}\nexport default messages\n`]
    }),
  )
  return { modules, types: `export interface Messages {\n${types.join('\n')}\n}\n` }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const web = dirname(dirname(fileURLToPath(import.meta.url)))
  const read = (lang) => JSON.parse(readFileSync(join(web, '..', 'words', `${lang}.json`), 'utf8'))
  const words = { en: read('en'), 'zh-Hans': read('zh-Hans') }
  const text = sources(join(web, 'src')).map((file) => readFileSync(file, 'utf8')).join('\n')
  const used = new Set([...text.matchAll(/['"`]([a-z][\w]*(?:\.[\w/-]+)+)['"`]/g)].map((m) => m[1]))
  const out = join(web, 'src', 'lib', 'words', 'generated')
  mkdirSync(out, { recursive: true })
  const { modules, types } = compile(words, used)
  for (const [lang, source] of Object.entries(modules)) writeFileSync(join(out, `${lang}.ts`), source)
  writeFileSync(join(out, 'messages.d.ts'), types)
}
