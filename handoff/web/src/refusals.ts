// Why signing in or changing access was refused, in the reader's language; the server's own words for what has none here.
import { ref } from 'vue'

import { ApiError } from './api'
import { i18n } from './i18n'

export function refusalOf(failure: unknown, offline: string = i18n.global.t('app.unreachable')): string {
  if (!(failure instanceof ApiError) || failure.offline) return offline
  const known = `access.refused.${failure.code}`
  return i18n.global.te(known) ? i18n.global.t(known) : failure.message
}

/** Doing things one at a time, with whether one is being done and why the last one was refused, as `say` puts it. */
export function useAttempt(say: (failure: unknown) => string = (failure) => refusalOf(failure)) {
  const busy = ref(false)
  const problem = ref('')

  async function attempt(work: () => Promise<void>): Promise<void> {
    busy.value = true
    problem.value = ''
    try {
      await work()
    } catch (error) {
      problem.value = say(error)
    } finally {
      busy.value = false
    }
  }

  return { attempt, busy, problem }
}
