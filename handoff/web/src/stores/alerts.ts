// Tells an agent about work while they look elsewhere: tab title, a short sound, a desktop notification.
import { computed, ref, watch } from 'vue'

import { preferences } from './preferences'

const permission = ref(typeof Notification === 'undefined' ? 'denied' : Notification.permission)
const badge = ref(0)
let audio: AudioContext | null = null

watch(badge, (count) => {
  document.title = count > 0 ? `(${count}) Frontdesk` : 'Frontdesk'
})

function chime(): void {
  if (!preferences.sound) return
  audio ??= new AudioContext()
  const start = audio.currentTime
  for (const [index, frequency] of [659, 880].entries()) {
    const tone = audio.createOscillator()
    const volume = audio.createGain()
    tone.frequency.value = frequency
    volume.gain.setValueAtTime(0.0001, start + index * 0.14)
    volume.gain.exponentialRampToValueAtTime(0.12, start + index * 0.14 + 0.02)
    volume.gain.exponentialRampToValueAtTime(0.0001, start + index * 0.14 + 0.3)
    tone.connect(volume).connect(audio.destination)
    tone.start(start + index * 0.14)
    tone.stop(start + index * 0.14 + 0.32)
  }
}

function toggleSound(): void {
  preferences.sound = !preferences.sound
  chime()
}

/** Asks the browser; only ever called from a click. */
async function askPermission(): Promise<void> {
  if (typeof Notification === 'undefined') return
  permission.value = await Notification.requestPermission()
}

function announce(title: string, body: string, open: () => void): void {
  chime()
  if (permission.value !== 'granted' || document.hasFocus()) return
  const notification = new Notification(title, { body, tag: 'frontdesk' })
  notification.onclick = () => {
    window.focus()
    notification.close()
    open()
  }
}

export const alerts = { badge, canAsk: computed(() => permission.value === 'default'), permission, toggleSound, askPermission, announce }
