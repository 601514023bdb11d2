// The grid of what is not looked at: 16 × 9 cells row by row as 144 bits in 36 hexadecimal digits, the first cell in the highest bit.

export const columns = 16
export const rows = 9
export const none = '0'.repeat((columns * rows) / 4)

/** Whether a cell is left out. */
export const isOut = (mask: string, cell: number) => (Number.parseInt(mask[cell >> 2] ?? '0', 16) & (8 >> (cell & 3))) !== 0

/** The mask with one cell left out, or looked at. */
export function turn(mask: string, cell: number, out: boolean): string {
  const i = cell >> 2
  const digit = Number.parseInt(mask[i] ?? '0', 16)
  const bit = 8 >> (cell & 3)
  return mask.slice(0, i) + (out ? digit | bit : digit & ~bit).toString(16) + mask.slice(i + 1)
}
