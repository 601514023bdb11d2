import jsQR from 'jsqr'
import { expect, test } from 'vitest'
import { draw, type Drawn } from './qr'

/** What a camera sees of a drawing: black modules of some points each on white. */
function look({ size, path }: Drawn, scale = 4) {
  const width = size * scale
  const pixels = new Uint8ClampedArray(width * width * 4).fill(255)
  for (const [, x, y, n] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g))
    for (let py = Number(y) * scale; py < (Number(y) + 1) * scale; py++)
      for (let px = Number(x) * scale; px < (Number(x) + Number(n)) * scale; px++) pixels.fill(0, (py * width + px) * 4, (py * width + px) * 4 + 3)
  return jsQR(pixels, width, width)?.data ?? null
}

const addresses = [
  'https://candor.example/invites/q2V0aGVyIHdlIGFyZSBvbmUgb3Igbm90IGF0IGFsbCE',
  'http://localhost:8780/l/AbCdEf0123456789_-AbCdEf0123456789_-AbCdEfGHIJK',
  `https://a-rather-long-name.of-a-house.example.org/under/a/path/invites/${'x'.repeat(43)}?von=Müller&到=家`,
]

for (const address of addresses)
  test(`a reader that is not ours reads ${address.slice(0, 40)}…`, () => expect(look(draw(address))).toBe(address))

test('a drawing of which a corner is missing is not read: the reader does look', () => {
  const { size, path } = draw(addresses[0]!)
  expect(look({ size, path: path.replaceAll(/M\d+ ([4-9]|10)h\d+v1h-\d+z/g, '') })).toBeNull()
})

test('every module lies inside the border', () => {
  const { size, path } = draw(addresses[0]!)
  for (const [, x, y, n] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g)) {
    expect(Math.min(Number(x), Number(y))).toBeGreaterThanOrEqual(4)
    expect(Math.max(Number(x) + Number(n), Number(y) + 1)).toBeLessThanOrEqual(size - 4)
  }
})
