// Order at the desk: what agents do with labels, priority, time and several conversations at once.
import { ElMessage } from 'element-plus'
import { reactive, ref, watch } from 'vue'

import { api, ApiError, type BulkResult, type ListedConversation } from '../api'
import { i18n } from '../i18n'
import { known } from './acts'
import { desk, inbox, views } from './desk'
import { place } from './place'
import { readThreads } from './threads'
import type { BulkAction } from '../types'

const t = i18n.global.t

export const selected = reactive(new Set<string>())
export const selecting = ref(false)
export const busy = ref(false)
export const failures = ref<{ id: string; message: string }[]>([])

watch([() => place.view, () => place.page], clearSelection)

export function clearSelection(): void {
  selected.clear()
  selecting.value = false
  failures.value = []
}

export function toggle(id: string): void {
  if (!selected.delete(id)) selected.add(id)
  selecting.value = true
}

export function messageOf(error: unknown): string {
  return error instanceof ApiError && !error.offline ? error.message : t('app.unreachable')
}

/** Changes one conversation and shows its new state everywhere; returns whether it worked. */
export async function change(work: () => Promise<{ conversation: ListedConversation }>, done = ''): Promise<boolean> {
  try {
    const { conversation } = await work()
    inbox.change(conversation)
    views.later()
    if (done) ElMessage({ type: 'success', message: done, grouping: true })
    return true
  } catch (error) {
    ElMessage({ type: 'error', message: messageOf(error), duration: 7000, showClose: true })
    return false
  }
}

/** Does one thing with everything selected; what failed stays selected, with the reason. */
export async function bulk(action: BulkAction): Promise<void> {
  if (busy.value || !selected.size) return
  busy.value = true
  try {
    const { results, done, failed } = await api.bulk([...selected], action)
    for (const one of results) if (one.ok) inbox.change(one.conversation)
    settle(results)
    views.later()
    const type = failed ? 'warning' : 'success'
    ElMessage({ type, message: failed ? t('organise.bulk.partly', { done, failed }) : t('organise.bulk.done', { n: done }, done) })
  } catch (error) {
    ElMessage({ type: 'error', message: messageOf(error), duration: 7000, showClose: true })
  } finally {
    busy.value = false
  }
}

function settle(results: BulkResult[]): void {
  failures.value = []
  for (const one of results) {
    if (one.ok) selected.delete(one.id)
    else failures.value.push({ id: one.id, message: known(one.error.code, one.error.detail) ?? one.error.message })
  }
  if (!selected.size) selecting.value = false
}

export async function merge(source: string, into: string): Promise<boolean> {
  const worked = await change(() => api.merge(source, into), t('organise.merge.done'))
  if (worked && desk.openId.value !== into) desk.open(into)
  else if (worked) await readThreads()
  return worked
}

export async function unmerge(source: string): Promise<void> {
  if (await change(() => api.unmerge(source), t('organise.merge.undone'))) await readThreads()
}
