// vue-i18n in composition mode; the language is a preference of this browser.
import { watch } from 'vue'
import { createI18n } from 'vue-i18n'

import { titleMessages, type IntentTitle } from '../intent_titles'
import { preferences } from '../stores/preferences'
import { en } from './en'
import { zh } from './zh'

export const i18n = createI18n({ legacy: false, locale: preferences.language, fallbackLocale: 'en', messages: { zh, en } })

watch(
  () => preferences.language,
  (language) => {
    i18n.global.locale.value = language
  },
)

/** Intents that trainers made are called what they called them, wherever an intent is named. */
export function nameIntents(titles: IntentTitle[]): void {
  const named = titleMessages(titles)
  i18n.global.mergeLocaleMessage('zh', named.zh)
  i18n.global.mergeLocaleMessage('en', named.en)
}

/** What people call an intent; its plain name where nobody gave it another. */
export const intentName = (name: string): string => (i18n.global.te(`intent.${name}`) ? i18n.global.t(`intent.${name}`) : name)
