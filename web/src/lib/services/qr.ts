// An address as a QR code, drawn on this machine: what it opens is nobody else's business.

import { generate } from 'lean-qr'

/** Light border that readers ask for, in modules (ISO/IEC 18004). */
const quiet = 4

export interface Drawn {
  /** Width and height in modules, the border included. */
  size: number
  /** The dark modules, as the path of an SVG. */
  path: string
}

export function draw(text: string): Drawn {
  const code = generate(text)
  let path = ''
  for (let y = 0; y < code.size; y++)
    for (let x = 0; x < code.size; x++) {
      if (!code.get(x, y)) continue
      let n = 1
      while (code.get(x + n, y)) n++
      path += `M${x + quiet} ${y + quiet}h${n}v1h-${n}z`
      x += n
    }
  return { size: code.size + 2 * quiet, path }
}
