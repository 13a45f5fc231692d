// How many alerts are open, and the news of those that just opened.
import { ref } from 'vue'

import { alertApi, type AlertNews } from '../alerts'
import type { LiveEvent } from './live'

const open = ref(0)
const told = ref<AlertNews[]>([])
const changes = ref(0)

async function count(): Promise<void> {
  try {
    open.value = (await alertApi.list('open')).counts.open ?? 0
  } catch {
    // The number that is known stays until the next alert.
  }
}

function apply(event: LiveEvent): void {
  if (event.type !== 'alert') return
  changes.value += 1
  if (event.change === 'opened' && !event.quiet) told.value.push(event.alert)
  void count()
}

export const anomalies = { open, told, changes, count, apply }
