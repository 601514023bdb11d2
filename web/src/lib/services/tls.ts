import { t } from '../words/index.svelte'

/** What does not work on a plain connection, as sentences. */
export function missingWithoutTLS(codes: string[]): string[] {
  const known: Record<string, () => string> = {
    microphone: () => t('tls.microphone'),
    push: () => t('tls.push'),
    install: () => t('tls.install'),
    passkeys: () => t('tls.passkeys'),
    confidential: () => t('tls.confidential'),
  }
  return codes.flatMap((code) => known[code]?.() ?? [])
}
