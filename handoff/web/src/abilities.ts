// What this member of staff may do with a conversation, and why not. The server decides; this keeps the buttons honest.
import type { Conversation, Role } from './types'
import type { Verb } from './stores/desk'

export type Why = 'readOnly' | 'notYours' | 'resolved' | 'queuedFirst' | 'botFirst' | 'botSpeaks' | 'alreadyQueued' | 'alreadyBot' | 'offered' | 'merged'
/** null: allowed; else the reason to show. */
export type Abilities = Record<Verb | 'reply' | 'note', Why | null>
/** What concerns several agents in one conversation: only what is true is offered at all. */
export interface Company { invite: boolean; join: boolean; leave: boolean; bargeIn: boolean; takeOver: boolean }

export function abilitiesOf(conversation: Conversation, me: { id: string; role: Role }): Abilities {
  const { status } = conversation
  const mine = conversation.agent_id === me.id
  const oversees = me.role === 'supervisor' || me.role === 'admin'
  const bot: Why = oversees ? 'botFirst' : 'botSpeaks'
  const holder = (queued: Why = 'queuedFirst', speaking: Why = bot): Why | null =>
    status === 'queued' ? queued : status === 'bot' ? speaking : mine ? null : 'notYours'

  const part = conversation.participants?.find((one) => one.agent_id === me.id)
  const others = status === 'assigned' && !mine
  if (me.role === 'trainer' || me.role === 'auditor') return everything('readOnly')
  const note = oversees ? null : holder()
  if (conversation.merged_into) return { ...everything('merged'), note }
  if (status === 'resolved') return { ...everything('resolved'), note }
  const offered = status === 'queued' && conversation.offered_to && conversation.offered_to !== me.id && Date.parse(conversation.offered_until ?? '') > Date.now()
  const unheld = oversees && status !== 'assigned'
  return {
    accept: status === 'assigned' ? 'notYours' : status === 'bot' && !oversees ? 'botSpeaks' : offered && !oversees ? 'offered' : null,
    reply: others && part ? null : holder(),
    note: others && part ? null : note,
    transfer: oversees ? null : holder(),
    requeue: holder('alreadyQueued'),
    release: unheld && status === 'queued' ? null : holder('queuedFirst', 'alreadyBot'),
    resolve: unheld ? null : holder(),
  }
}

export function companyOf(conversation: Conversation, me: { id: string; role: Role }): Company {
  const held = conversation.status === 'assigned' && me.role !== 'trainer' && me.role !== 'auditor'
  const mine = conversation.agent_id === me.id
  const part = conversation.participants?.find((one) => one.agent_id === me.id)
  const oversees = me.role === 'supervisor' || me.role === 'admin'
  return {
    invite: held && mine,
    join: held && !mine && part !== undefined && part.joined_at === null,
    leave: held && !mine && part !== undefined && part.joined_at !== null,
    bargeIn: held && !mine && oversees && !part?.joined_at,
    takeOver: held && !mine && oversees,
  }
}

function everything(why: Why): Abilities {
  return { accept: why, reply: why, note: why, transfer: why, requeue: why, release: why, resolve: why }
}
