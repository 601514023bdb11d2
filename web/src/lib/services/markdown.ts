// The little Markdown that policy texts use: headings, lists, tables, paragraphs, **strong**. Becomes data, never HTML.

export interface Part {
  text: string
  strong: boolean
}
export type Block = { kind: 'heading'; level: number; parts: Part[] } | { kind: 'paragraph'; parts: Part[] } | { kind: 'list'; items: Part[][] } | { kind: 'table'; head: Part[][]; rows: Part[][][] }

export function inline(text: string): Part[] {
  return text
    .split(/(\*\*[^*]+\*\*)/)
    .filter(Boolean)
    .map((piece) => (piece.startsWith('**') && piece.endsWith('**') && piece.length > 4 ? { text: piece.slice(2, -2), strong: true } : { text: piece.replace(/[`_](\S[^`_]*)[`_]/g, '$1'), strong: false }))
}

const cells = (line: string) =>
  line
    .trim()
    .replace(/^\||\|$/g, '')
    .split('|')
    .map((cell) => inline(cell.trim()))

/** A table is a head, a line of dashes and rows, each line between bars. */
function table(chunk: string): Block | null {
  const [head, dashes, ...rows] = chunk.trim().split('\n')
  if (!head?.startsWith('|') || !/^\|[\s:|-]+\|$/.test(dashes ?? '')) return null
  return { kind: 'table', head: cells(head), rows: rows.map(cells) }
}

export function blocks(markdown: string): Block[] {
  const out: Block[] = []
  for (const chunk of markdown.replaceAll('\r', '').split(/\n\s*\n/)) {
    const found = table(chunk)
    if (found) {
      out.push(found)
      continue
    }
    let text: string[] = []
    const flush = () => {
      if (text.length) out.push({ kind: 'paragraph', parts: inline(text.join(' ')) })
      text = []
    }
    for (const line of chunk.split('\n')) {
      const heading = /^(#{1,6})\s+(.*)$/.exec(line)
      const item = /^\s*(?:[-*]|\d+\.)\s+(.*)$/.exec(line)
      if (heading) {
        flush()
        out.push({ kind: 'heading', level: heading[1]!.length, parts: inline(heading[2]!) })
      } else if (item) {
        flush()
        const last = out.at(-1)
        if (last?.kind === 'list') last.items.push(inline(item[1]!))
        else out.push({ kind: 'list', items: [inline(item[1]!)] })
      } else if (line.trim()) {
        const last = out.at(-1)
        if (/^\s{2,}/.test(line) && last?.kind === 'list') last.items.at(-1)!.push({ text: ` ${line.trim()}`, strong: false })
        else text.push(line.trim())
      }
    }
    flush()
  }
  return out
}
