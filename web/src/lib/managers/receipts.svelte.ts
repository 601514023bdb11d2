import type { Receipt } from '../api'
import { keep, recall } from './memory'

export interface KeptReceipt {
  token: string
  what: Receipt['what']
  at: string
}

export const tokenOf = (receipt: Receipt) => receipt.token ?? receipt.id

/** Links to receipts this browser has seen. A receipt holds no personal data and opens for whoever has its link. */
class ReceiptsManager {
  list = $state<KeptReceipt[]>([])

  constructor() {
    try {
      this.list = JSON.parse(recall('receipts') ?? '[]') as KeptReceipt[]
    } catch {
      this.list = []
    }
  }

  add(receipt: Receipt) {
    const token = tokenOf(receipt)
    if (!token || this.list.some((r) => r.token === token)) return
    this.list = [{ token, what: receipt.what, at: receipt.requested_at }, ...this.list].slice(0, 20)
    keep('receipts', JSON.stringify(this.list))
  }

  drop(token: string) {
    this.list = this.list.filter((r) => r.token !== token)
    keep('receipts', JSON.stringify(this.list))
  }
}

export const receipts = new ReceiptsManager()
