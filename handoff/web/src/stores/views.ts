// What the rail shows: counts of the views, saved filters and labels, read again when something has changed.
import { computed, ref } from 'vue'

import { api } from '../api'
import { isAsked } from './inbox'
import type { Inbox } from './inbox'
import type { LiveEvent } from './live'
import type { Label, SavedFilter, View, Views } from '../types'

const WAIT_MS = 1_000 //: several changes in a row are one reading
const AT_MOST_MS = 4_000

type ViewsApi = Pick<typeof api, 'views' | 'labels'>

export function createViews(from: ViewsApi, inbox: Pick<Inbox, 'view' | 'refresh'>, jitter: () => number = () => Math.random() * 1_000) {
  const read = ref<Views | null>(null)
  const labels = ref<Label[]>([])
  const byId = computed(() => new Map(labels.value.map((one) => [one.id, one])))
  const filters = computed(() => read.value?.filters ?? [])
  let timer: ReturnType<typeof setTimeout> | undefined
  let firstAsked = 0

  async function refresh(): Promise<void> {
    try {
      read.value = await from.views()
    } catch {
      // The next change or reconnection reads them again; old counts are better than none.
    }
  }

  async function start(): Promise<void> {
    await Promise.all([refresh(), readLabels()])
  }

  async function readLabels(): Promise<void> {
    try {
      labels.value = (await from.labels()).labels
    } catch {
      // Conversations then show no labels until the next reconnection.
    }
  }

  function apply(event: LiveEvent): void {
    if (event.type === 'label') keep(event.label)
    if (event.type === 'conversation' || event.type === 'gone' || event.type === 'mention' || event.type === 'woke' || event.type === 'notices_seen') later()
  }

  function keep(label: Label): void {
    labels.value = [...labels.value.filter((one) => one.id !== label.id), label].sort((a, b) => a.title.localeCompare(b.title))
  }

  /** Reads counts soon, and the open list with them where only the server knows what belongs to it. */
  function later(): void {
    const now = Date.now()
    firstAsked ||= now
    clearTimeout(timer)
    const wait = Math.max(0, Math.min(WAIT_MS + jitter(), firstAsked + AT_MOST_MS - now))
    timer = setTimeout(() => {
      firstAsked = 0
      void refresh()
      if (isAsked(inbox.view.value)) void inbox.refresh(inbox.view.value)
    }, wait)
  }

  function stop(): void {
    clearTimeout(timer)
    firstAsked = 0
    read.value = null
    labels.value = []
  }

  function filterOf(view: View): SavedFilter | null {
    return filters.value.find((one) => `filter:${one.id}` === view) ?? null
  }

  return { read, labels, byId, filters, start, stop, refresh, later, apply, keep, filterOf }
}
