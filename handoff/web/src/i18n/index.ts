// vue-i18n in composition mode; the language is a preference of this browser.
import { watch } from 'vue'
import { createI18n } from 'vue-i18n'

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
