import { base } from '../router.svelte'
import { t, words } from '../words/index.svelte'

/** A failure told to the person: what happened, what to do, and a code to copy. */
export class Problem extends Error {
  constructor(
    readonly code: string,
    readonly status: number,
    /** What was seen. */
    readonly title: string,
    /** What to try. */
    readonly detail: string,
    readonly fields: { pointer: string; code: string; detail?: string }[] = [],
    readonly request = '',
  ) {
    super(title)
  }

  /** The sentence at one field of a form, found by the end of its JSON pointer. */
  at(field: string): string | undefined {
    const found = this.fields.find((f) => f.pointer.endsWith(`/${field}`))
    return found ? (found.detail ?? this.title) : undefined
  }
}

interface Document {
  type?: string
  title?: string
  status?: number
  detail?: string
  code?: string
  errors?: { pointer?: string; location?: string; code?: string; detail?: string; message?: string }[] | null
  request_id?: string
}

export function parseProblem(status: number, body: unknown): Problem {
  const d = (typeof body === 'object' && body !== null ? body : {}) as Document
  const fields = (d.errors ?? []).map((e) => ({
    pointer: e.pointer ?? `/${(e.location ?? '').replace(/^body\.?/, '').replaceAll('.', '/')}`,
    code: e.code ?? '',
    detail: e.detail ?? e.message,
  }))
  const code = d.code ?? (status === 401 ? 'session.none' : 'internal')
  // The detail tells what was seen, then what to try; the title is only the kind of failure, for when there is no more.
  const [seen, rest] = firstSentence(d.detail || d.title || t('error.unexpected'))
  return new Problem(code, status, seen, rest, fields, d.request_id)
}

/** The first sentence of a text and the rest. A dot inside an address or a number ends nothing. */
export function firstSentence(text: string): [string, string] {
  const end = /[.!?](?=\s)|[。！？]/.exec(text)
  if (!end) return [text, '']
  const at = end.index + 1
  return [text.slice(0, at), text.slice(at).trim()]
}

const root = () => new URL('api/v1/', base)

/** The address of a media or API resource, for <img>, <video>, links and fetch. */
export function apiURL(path: string, query: Record<string, string | number | undefined> = {}): string {
  const url = new URL(path, root())
  for (const [key, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(key, String(value))
  return url.href
}

export interface Call {
  method?: string
  body?: unknown
  query?: Record<string, string | number | undefined>
  signal?: AbortSignal
}

let onSignedOut: () => void = () => {}
/** Told once when the server says that nobody is signed in any more. */
export function whenSignedOut(f: () => void) {
  onSignedOut = f
}

/** No answer came: this device has no network, or Candor is not there. */
export const unreached = () =>
  navigator.onLine === false ? new Problem('network', 0, t('offline.title'), t('offline.detail')) : new Problem('network', 0, t('error.network.title'), t('error.network.detail'))

/** One call of the API. Resolves to the decoded answer, rejects with a Problem. */
export async function call<T>(path: string, { method = 'GET', body, query, signal }: Call = {}): Promise<T> {
  let response: Response
  try {
    response = await fetch(apiURL(path, query), {
      method,
      signal: signal ?? null,
      headers: {
        'Accept-Language': words.lang,
        Accept: 'application/json, application/problem+json',
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  } catch (cause) {
    if (signal?.aborted) throw cause
    throw unreached()
  }
  const text = response.status === 204 ? '' : await response.text()
  let value: unknown
  try {
    value = text ? JSON.parse(text) : undefined
  } catch {
    value = undefined
  }
  if (!response.ok) {
    if (response.status === 401 && path !== 'session') onSignedOut()
    throw parseProblem(response.status, value)
  }
  return value as T
}

/** Any thrown thing as a Problem, so that every failure reads the same. */
export function handleError(error: unknown): Problem {
  if (error instanceof Problem) return error
  console.error(error)
  return new Problem('app', 0, t('error.unexpected'), t('error.app.detail'))
}
