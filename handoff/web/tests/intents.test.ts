import { describe, expect, it } from 'vitest'
import { createI18n } from 'vue-i18n'

import { titleMessages } from '../src/intent_titles'

describe('intents that trainers made', () => {
  const named = titleMessages([{ name: 'engraving', zh: '刻字 | {名字}', en: 'Engraving @shop' }])
  const own = { zh: { intent: { greet: '打招呼' } }, en: { intent: { greet: 'Greeting' } } }
  const { global } = createI18n({ legacy: false, locale: 'zh', fallbackLocale: 'en', messages: own })
  global.mergeLocaleMessage('zh', named.zh)
  global.mergeLocaleMessage('en', named.en)

  it('are called what they called them, in both languages, signs included', () => {
    global.locale.value = 'zh'
    expect(global.te('intent.engraving')).toBe(true)
    expect(global.t('intent.engraving')).toBe('刻字 | {名字}')
    global.locale.value = 'en'
    expect(global.t('intent.engraving')).toBe('Engraving @shop')
  })

  it('leave the names of the others as they are', () => {
    global.locale.value = 'en'
    expect(global.t('intent.greet')).toBe('Greeting')
    expect(global.te('intent.nobody_made_this')).toBe(false)
  })
})
