import { t } from '../words/index.svelte'

/** The server keeps of a browser no more than “Chrome on Linux”; this says it in the page's language. */
export function browserName(agent: string): string {
  const [browser = '', system] = agent.split(' on ', 2)
  return browser === 'unknown' ? '' : system ? t('session.browser', { browser, system }) : browser
}
