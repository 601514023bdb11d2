// Sets theme and language before the first paint. A file of its own because the page allows no inline script.
;(function () {
  var root = document.documentElement
  var read = function (key) {
    try {
      return localStorage.getItem('candor.' + key)
    } catch {
      return null
    }
  }
  var theme = read('theme')
  var dark = theme === 'dark' || (theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  root.dataset.theme = dark ? 'dark' : 'light'
  var lang = read('language') || (/^zh/i.test(navigator.language) ? 'zh-Hans' : 'en')
  root.lang = lang
  var meta = document.querySelector('meta[name=theme-color]')
  if (meta && dark) meta.setAttribute('content', '#0B0D10')
})()
