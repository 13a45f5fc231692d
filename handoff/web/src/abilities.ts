// What this member of staff may do with a conversation, and why not. The server decides; this keeps the buttons honest.
import type { Conversation, Role } from './types'
import type { Verb } from './stores/desk'

export type Why = 'readOnly' | 'notYours' | 'resolved' | 'queuedFirst' | 'botFirst' | 'botSpeaks' | 'alreadyQueued' | 'alreadyBot'
/** null: allowed; else the reason to show. */
export type Abilities = Record<Verb | 'reply' | 'note', Why | null>

export function abilitiesOf(conversation: Conversation, me: { id: string; role: Role }): Abilities {
  const { status } = conversation
  const mine = conversation.agent_id === me.id
  const oversees = me.role === 'supervisor' || me.role === 'admin'
  const bot: Why = oversees ? 'botFirst' : 'botSpeaks'
  const holder = (queued: Why = 'queuedFirst', speaking: Why = bot): Why | null =>
    status === 'queued' ? queued : status === 'bot' ? speaking : mine ? null : 'notYours'

  if (me.role === 'trainer') return everything('readOnly')
  const note = oversees ? null : holder()
  if (status === 'resolved') return { ...everything('resolved'), note }
  const unheld = oversees && status !== 'assigned'
  return {
    accept: status === 'assigned' ? 'notYours' : status === 'bot' && !oversees ? 'botSpeaks' : null,
    reply: holder(),
    note,
    transfer: oversees ? null : holder(),
    requeue: holder('alreadyQueued'),
    release: unheld && status === 'queued' ? null : holder('queuedFirst', 'alreadyBot'),
    resolve: unheld ? null : holder(),
  }
}

function everything(why: Why): Abilities {
  return { accept: why, reply: why, note: why, transfer: why, requeue: why, release: why, resolve: why }
}
