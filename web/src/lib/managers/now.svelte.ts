/** The time of day, told once a second to whoever shows an age. */
class Now {
  ms = $state(Date.now())
  constructor() {
    setInterval(() => (this.ms = Date.now()), 1000)
  }
}

export const now = new Now()
