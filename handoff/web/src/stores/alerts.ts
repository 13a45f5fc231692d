// Tells an agent about work while they look elsewhere: tab title, a short sound, a desktop notification, each as they chose.
import { computed, ref, watch } from 'vue'

import { ALERTS, preferences, type Alert } from './preferences'
import { browserLine, createOneTab } from './one_tab'

const permission = ref(typeof Notification === 'undefined' ? 'denied' : Notification.permission)
const badge = ref(0)
const due = ref(false) //: something happened of which a notification would have told
const oneTab = createOneTab(browserLine('frontdesk-alerts'), crypto.randomUUID())
let audio: AudioContext | null = null

watch(badge, (count) => {
  document.title = count > 0 ? `(${count}) Frontdesk` : 'Frontdesk'
})

function chime(): void {
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
  if (preferences.sound) chime()
}

/** Asks the browser; only ever called from a click. */
async function askPermission(): Promise<void> {
  preferences.alertsOffered = true
  if (typeof Notification === 'undefined') return
  permission.value = await Notification.requestPermission()
}

function notify(title: string, body: string, tag: string, open: () => void): void {
  if (permission.value !== 'granted') return
  const notification = new Notification(title, { body, tag })
  notification.onclick = () => {
    window.focus()
    notification.close()
    open()
  }
}

export interface News {
  kind: Alert
  key: string //: the same for the same event in every tab
  title: string
  body: string
  watched: boolean //: this tab shows what it is about and somebody is in it
  open: () => void
}

/** Rings once, in one tab, unless the agent has it before their eyes; a notification only while they are in none of the tabs. */
async function announce(news: News): Promise<void> {
  const { sound, desktop } = preferences.alerts[news.kind]
  due.value = true
  const verdict = await oneTab.decide(news.key, news.watched, document.hasFocus())
  if (!verdict.ring) return
  if (sound && preferences.sound) chime()
  if (desktop && !verdict.focused) notify(news.title, news.body, news.key, news.open)
}

/** Shows and plays one, whatever was chosen. */
function tryOut(title: string, body: string): void {
  chime()
  notify(title, body, 'frontdesk-test', () => undefined)
}

/** Browsers take it badly to be asked at once; agents say yes when they have just missed something. */
const offer = computed(() => due.value && permission.value === 'default' && !preferences.alertsOffered)

export const alerts = { kinds: ALERTS, badge, offer, permission, toggleSound, askPermission, announce, tryOut }
