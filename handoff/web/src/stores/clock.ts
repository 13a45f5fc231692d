// One clock for everything that ticks on the page.
import { ref } from 'vue'

export const now = ref(Date.now())

window.setInterval(() => {
  now.value = Date.now()
}, 1000)
