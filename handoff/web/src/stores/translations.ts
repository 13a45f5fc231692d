// Translations between Chinese and English, where the desk has a model for it: single messages, all of a contact, and replies.
import { reactive, ref, type Ref } from 'vue'

import type { api as Api } from '../api'
import type { OriginalText, Translated } from '../types'

export interface Shown { text: string | null; reason: string | null; loading: boolean; hidden: boolean }

const HAN = /[\u3400-\u9fff]/g
const WORD = /[A-Za-z]+/g
const KNOWN = ['number', 'code_or_name', 'link', 'language', 'too_much', 'meaning', 'same_language', 'nothing_to_translate', 'too_long', 'speaks_to_a_machine', 'timeout', 'resting']

/** "zh" when Chinese characters carry the text, else "en"; null when there are no words in it. */
export function languageOf(text: string): 'zh' | 'en' | null {
  const han = text.match(HAN)?.length ?? 0
  const words = text.match(WORD)?.length ?? 0
  if (!han && !words) return null
  return han > 0 && han >= words ? 'zh' : 'en'
}

/** The key of the sentence that says why there is no translation. */
export function reasonKey(reason: string | null): string {
  return reason !== null && KNOWN.includes(reason) ? reason : 'other'
}

type TranslationApi = Pick<typeof Api, 'translations' | 'translate' | 'translateReply'>

export function createTranslations(api: TranslationApi) {
  /** The model's name; null where nothing can be translated, and then nothing of this is shown. */
  const model: Ref<string | null> = ref(null)
  const shown = reactive(new Map<string, Shown>())
  const originals = reactive(new Map<string, OriginalText>())
  /** Contacts whose messages are all translated. */
  const everything = reactive(new Set<string>())
  const known = new Map<string, Record<string, string>>()

  const key = (messageId: string, to: string) => `${messageId}:${to}`

  async function open(conversationId: string): Promise<void> {
    try {
      const found = await api.translations(conversationId)
      model.value = found.model
      for (const [messageId, texts] of Object.entries(found.translations)) {
        known.set(messageId, texts)
        for (const [to, text] of Object.entries(texts)) if (!shown.has(key(messageId, to))) shown.set(key(messageId, to), { text, reason: null, loading: false, hidden: false })
      }
      for (const [messageId, original] of Object.entries(found.originals)) originals.set(messageId, original)
    } catch {
      // Without an answer there is nothing to translate with either.
    }
  }

  function of(messageId: string, to: string): Shown | undefined {
    return shown.get(key(messageId, to))
  }

  async function translate(conversationId: string, message: { id: string; seq: number }, to: string): Promise<void> {
    const place = key(message.id, to)
    const kept = known.get(message.id)?.[to]
    if (kept !== undefined) {
      shown.set(place, { text: kept, reason: null, loading: false, hidden: false })
      return
    }
    if (shown.get(place)?.loading) return
    shown.set(place, { text: null, reason: null, loading: true, hidden: false })
    let made: Translated
    try {
      made = await api.translate(conversationId, message.seq, to)
    } catch {
      made = { text: null, reason: 'other', model: '' }
    }
    if (made.text !== null) known.set(message.id, { ...known.get(message.id), [to]: made.text })
    shown.set(place, { text: made.text, reason: made.reason, loading: false, hidden: false })
  }

  function hide(messageId: string, to: string): void {
    const one = shown.get(key(messageId, to))
    if (one) one.hidden = true
  }

  function toggleEverything(contactId: string): void {
    if (!everything.delete(contactId)) everything.add(contactId)
  }

  return { model, shown, originals, everything, open, of, translate, hide, toggleEverything, reply: api.translateReply }
}
