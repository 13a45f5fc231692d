// Doing something with the open conversation, and telling the agent how it went.
import { ElMessage } from 'element-plus'
import { useI18n } from 'vue-i18n'

import { ApiError } from '../api'
import { desk, type Target, type Verb } from './desk'

const DONE: Record<Verb, string> = { accept: 'accepted', transfer: 'transferred', requeue: 'requeued', release: 'released', resolve: 'resolved' }

export function useActs() {
  const { t } = useI18n()

  /** Returns whether it worked; a refusal is shown in the server's own words. */
  async function act(verb: Verb, target: Target = {}): Promise<boolean> {
    try {
      await desk.run(verb, target)
      ElMessage({ type: 'success', message: t(target.teamId ? 'company.transferredTeam' : `conversation.${DONE[verb]}`, { name: target.agentName ?? '' }), grouping: true })
      return true
    } catch (error) {
      const conflict = error instanceof ApiError && error.code === 'already_assigned'
      const text = error instanceof ApiError && !error.offline ? error.message : t('app.unreachable')
      const title = t(conflict ? 'conversation.conflict' : 'conversation.refused')
      ElMessage({ type: conflict ? 'warning' : 'error', message: `${title}: ${text}`, duration: 7000, showClose: true })
      return false
    }
  }

  return { act }
}
