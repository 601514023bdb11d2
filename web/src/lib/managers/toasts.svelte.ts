export interface Toast {
  id: number
  text: string
  tone: 'plain' | 'ok' | 'alert'
  action?: { title: string; run: () => void }
}

/** Short notices at the edge of the screen, spoken politely. */
class Toasts {
  list = $state<Toast[]>([])
  #next = 1

  show(text: string, more: Partial<Omit<Toast, 'id' | 'text'>> = {}) {
    const toast: Toast = { id: this.#next++, text, tone: 'plain', ...more }
    this.list = [...this.list, toast].slice(-3)
    setTimeout(() => this.close(toast.id), more.action ? 8000 : 4500)
  }

  close(id: number) {
    this.list = this.list.filter((t) => t.id !== id)
  }
}

export const toasts = new Toasts()
