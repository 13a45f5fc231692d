// Says in the contact's language what an agent wrote in their own; the original is kept for staff.
import { ElMessage } from 'element-plus'
import { computed, ref, type ComputedRef, type Ref, type WritableComputedRef } from 'vue'

import { i18n } from './i18n'
import { told } from './stores/acts'
import { assist, transcripts, translations } from './stores/desk'
import { languageOf, reasonKey } from './stores/translations'
import type { Conversation, OriginalText } from './types'

export interface ReplyTranslation {
  original: ComputedRef<OriginalText | undefined>
  theirs: ComputedRef<string>
  offered: ComputedRef<boolean>
  running: Ref<boolean>
  translate: () => Promise<void>
  undo: () => void
}

/** `done` is called when the box has its words again. */
export function useReplyTranslation(conversation: () => Conversation, mode: Ref<'reply' | 'note'>, text: WritableComputedRef<string>, done: () => void): ReplyTranslation {
  const t = i18n.global.t
  const running = ref(false)
  const original = computed(() => (mode.value === 'reply' ? assist.originals.get(conversation().id) : undefined))
  const theirs = computed(() => {
    const messages = transcripts.get(conversation().id)?.messages ?? []
    const last = messages.findLast((one) => one.author === 'contact' && one.kind === 'text' && languageOf(one.text))
    return (last && languageOf(last.text)) ?? (conversation().language === 'zh' ? 'zh' : 'en')
  })
  const offered = computed(() => {
    const mine = languageOf(text.value)
    return translations.model.value !== null && mode.value === 'reply' && !original.value && text.value.trim() !== '' && mine !== null && mine !== theirs.value
  })

  async function translate(): Promise<void> {
    const { id } = conversation()
    const written = text.value.trim()
    running.value = true
    try {
      const made = await translations.reply(id, written, theirs.value)
      if (conversation().id !== id || text.value.trim() !== written) return
      if (made.text === null) {
        ElMessage({ type: 'warning', message: t('translation.failed', { reason: t(`translation.reason.${reasonKey(made.reason)}`) }), duration: 7000, showClose: true })
        return
      }
      assist.originals.set(id, { text: written, language: theirs.value === 'zh' ? 'en' : 'zh' })
      text.value = made.text
    } catch (error) {
      ElMessage({ type: 'error', message: told(error), duration: 7000, showClose: true })
    } finally {
      running.value = false
      done()
    }
  }

  function undo(): void {
    const kept = original.value
    assist.originals.delete(conversation().id)
    if (kept) text.value = kept.text
  }

  return { original, theirs, offered, running, translate, undo }
}
