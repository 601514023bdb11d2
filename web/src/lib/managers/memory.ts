// What this browser remembers: choices of the screen, never content. A browser that refuses storage just forgets.

export function recall(key: string): string | null {
  try {
    return localStorage.getItem(`candor.${key}`)
  } catch {
    return null
  }
}

export function keep(key: string, value: string) {
  try {
    localStorage.setItem(`candor.${key}`, value)
  } catch {
    // nothing to do: the choice holds until the page closes
  }
}
