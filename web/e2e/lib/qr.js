// Reading a QR code off the screen, as a phone does.

import { execFileSync } from 'node:child_process'
import jsQR from 'jsqr'

/** What a phone reads from the code on the screen. */
export async function read(me) {
  const box = me.test('qr')
  await box.waitFor()
  const { width, height } = await box.boundingBox()
  const png = await box.screenshot()
  const size = Math.round(width)
  const pixels = execFileSync('ffmpeg', ['-v', 'error', '-i', '-', '-vf', `scale=${size}:${Math.round(height)}`, '-f', 'rawvideo', '-pix_fmt', 'rgba', '-'], { input: png })
  return jsQR.default(new Uint8ClampedArray(pixels), size, pixels.length / 4 / size)?.data
}
