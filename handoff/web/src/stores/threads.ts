// The conversations merged into the open one: their messages are read beside its own, in order.
import { ref, watch } from 'vue'

import { api, ApiError } from '../api'
import { desk, live, transcripts } from './desk'
import { session } from './session'
import type { MergedThread, Message } from '../types'

export const threads = ref<MergedThread[]>([])
/** "" where the server was not reached. */
export const threadsFailed = ref<string | null>(null)

export async function readThreads(id = desk.openId.value): Promise<void> {
  if (!id) return
  try {
    const found = (await api.merged(id)).threads
    if (desk.openId.value !== id) return
    threads.value = found
    threadsFailed.value = null
    transcripts.follow(found.map((one) => one.conversation.id))
  } catch (error) {
    if (desk.openId.value === id) threadsFailed.value = error instanceof ApiError ? error.message : String(error)
  }
}

/** The messages of the open conversation and of those merged into it, by time. */
export function withMerged(own: readonly Message[]): Message[] {
  const merged = threads.value.flatMap((one) => transcripts.get(one.conversation.id)?.messages ?? [])
  if (!merged.length) return [...own]
  const order = (a: Message, b: Message) => (a.created_at < b.created_at ? -1 : a.created_at > b.created_at ? 1 : 0)
  return [...own, ...merged].sort((a, b) => order(a, b) || (a.conversation_id === b.conversation_id ? a.seq - b.seq : 0))
}

watch(
  [desk.openId, () => session.staff.value?.id],
  ([id, staff]) => {
    threads.value = []
    threadsFailed.value = null
    transcripts.follow([])
    if (id && staff) void readThreads(id)
  },
  { immediate: true },
)

// Somebody may have merged or separated conversations while nothing was heard of it.
watch(live.connection, (now) => now === 'open' && void readThreads())
