// Doing something with the open conversation, and telling the agent how it went.
import { ElMessage } from 'element-plus'

import { ApiError } from '../api'
import { titled } from '../format'
import { i18n } from '../i18n'
import { desk, type Target, type Verb } from './desk'
import { preferences } from './preferences'

const DONE: Record<Verb, string> = { accept: 'accepted', transfer: 'transferred', requeue: 'requeued', release: 'released', resolve: 'resolved' }

/** Returns whether it worked; a refusal is shown in the server's own words. */
export async function act(verb: Verb, target: Target = {}): Promise<boolean> {
  const t = i18n.global.t
  try {
    await desk.run(verb, target)
    ElMessage({ type: 'success', message: t(target.silent ? 'ratingCard.silentDone' : target.teamId ? 'company.transferredTeam' : `conversation.${DONE[verb]}`, { name: target.agentName ?? '' }), grouping: true })
    return true
  } catch (error) {
    const conflict = error instanceof ApiError && error.code === 'already_assigned'
    if (error instanceof ApiError && error.code === 'at_capacity') {
      const who = target.agentName ? t('company.full', { name: target.agentName, load: error.detail }) : told(error)
      ElMessage({ type: 'warning', message: who, duration: 7000, showClose: true })
      return false
    }
    const title = t(conflict ? 'conversation.conflict' : 'conversation.refused')
    ElMessage({ type: conflict ? 'warning' : 'error', message: titled(title, told(error), preferences.language), duration: 7000, showClose: true })
    return false
  }
}

/** What went wrong, in the server's words where it was reached. */
export function told(error: unknown): string {
  if (error instanceof ApiError && known(error.code)) return known(error.code, error.detail) ?? ''
  return error instanceof ApiError && !error.offline ? error.message : i18n.global.t('app.unreachable')
}

/** A refusal in the console's language, where it has words for it. */
export function known(code: string, detail = ''): string | null {
  const key = `writing.error.${code}`
  return i18n.global.te(key) ? i18n.global.t(key, { detail }) : null
}

export function useActs() {
  return { act }
}
