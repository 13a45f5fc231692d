// Starts the console.
import { createApp } from 'vue'

import App from './App.vue'
import { i18n } from './i18n'
import './element'
import './style.css'

// A page that is opened after an update is no longer there under its old name: the whole console is read anew, once.
window.addEventListener('vite:preloadError', (event) => {
  if (sessionStorage.getItem('renewed') === import.meta.url) return
  sessionStorage.setItem('renewed', import.meta.url)
  event.preventDefault()
  window.location.reload()
})

createApp(App).use(i18n).mount('#app')
