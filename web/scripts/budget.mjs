// Fails the build when the first load grows over its budget: what a signed-in person's Home needs, gzipped.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const limits = { first: { js: 90 * 1024, css: 12 * 1024 }, route: { js: 40 * 1024, css: 12 * 1024 } }
const dist = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist')
const manifest = JSON.parse(readFileSync(join(dist, '.vite', 'manifest.json'), 'utf8'))
const size = (file) => gzipSync(readFileSync(join(dist, file)), { level: 9 }).length

function closure(keys, files = new Set(), seen = new Set()) {
  for (const key of keys) {
    if (seen.has(key)) continue
    seen.add(key)
    const chunk = manifest[key]
    if (!chunk) throw new Error(`no chunk ${key}`)
    files.add(chunk.file)
    for (const css of chunk.css ?? []) files.add(css)
    closure(chunk.imports ?? [], files, seen)
  }
  return files
}
const sum = (files, end) => [...files].filter((f) => f.endsWith(end)).reduce((n, f) => n + size(f), 0)

const entry = 'index.html'
const dynamic = manifest[entry].dynamicImports ?? []
const words = dynamic.filter((k) => k.includes('words/generated')).sort((a, b) => size(manifest[b].file) - size(manifest[a].file))
const first = closure([entry, 'src/pages/Home.svelte', ...words.slice(0, 1)])
const failed = []
const report = (name, files, limit) => {
  const js = sum(files, '.js')
  const css = sum(files, '.css')
  console.log(`${name.padEnd(28)} ${(js / 1024).toFixed(1).padStart(6)} kB js ${(css / 1024).toFixed(1).padStart(6)} kB css (gzip)`)
  if (js > limit.js || css > limit.css) failed.push(`${name} is over ${limit.js / 1024} kB js or ${limit.css / 1024} kB css`)
}
report('first load (Home)', first, limits.first)
for (const key of dynamic.filter((k) => k.startsWith('src/pages/'))) {
  report(key.replace('src/pages/', '+ '), [...closure([key])].filter((f) => !first.has(f)), limits.route)
}
if (failed.length) {
  console.error(failed.join('\n'))
  process.exit(1)
}
