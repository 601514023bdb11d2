import './app.css'
import { mount } from 'svelte'
import App from './App.svelte'
import { session } from './lib/managers/session.svelte'
import { theme } from './lib/managers/theme.svelte'
import { router } from './lib/router.svelte'
import { isLang, words } from './lib/words/index.svelte'

theme.start()
router.start()
const lang = document.documentElement.lang
// The words and the question "who is here" travel at the same time.
const asked = words.use(isLang(lang) ? lang : 'en')
void session.start(asked)
void asked.then(() => mount(App, { target: document.getElementById('app')! }))
// When the page is there: what keeps it at hand must not slow it down. Who was handed a link keeps nothing.
if (router.place.page !== 'link') addEventListener('load', () => setTimeout(() => void import('./lib/services/worker').then((w) => w.keepShell()).catch(() => {}), 1000))
