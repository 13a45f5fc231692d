// What of the desk's news rings for this person: who waits, what is theirs now, who wrote, mentioned or asked them.
import type { Ref } from 'vue'

import { contactName } from '../format'
import { i18n } from '../i18n'
import { alerts } from './alerts'
import { company } from './company'
import type { LiveEvent } from './live'
import { go, place } from './place'
import { preferences, type Alert } from './preferences'
import { session } from './session'
import type { Conversation, Message, PresenceState } from '../types'

type Of<T extends LiveEvent['type']> = Extract<LiveEvent, { type: T }>

interface Desk {
  known: ReadonlyMap<string, Conversation>
  openId: Readonly<Ref<string | null>>
  presence: Readonly<Ref<PresenceState>>
  markSeen: () => void
}

const saying = (kind: Alert, name: string) => i18n.global.t(`writing.alerts.say.${kind}`, { name })

export function createRinging({ known, openId, presence, markSeen }: Desk) {
  const announced = new Set<string>()
  const quiet = () => !session.worksAtDesk.value || presence.value === 'away'
  const nameOf = (conversation: Conversation | undefined) => (conversation ? contactName(conversation, preferences.language) : '')

  /** Nothing rings while the agent is away, nor about what they have before their eyes. */
  function ring(kind: Alert, key: string, id: string, title: string, body: string, open = () => go(kind === 'waiting' ? 'queued' : place.view, id)): void {
    if (quiet()) return
    const watched = document.hasFocus() && openId.value === id && kind !== 'waiting'
    void alerts.announce({ kind, key, title, body, watched, open })
  }

  /** A customer of mine wrote. */
  function reply(id: string, message: Message): void {
    const mine = known.get(id)
    if (message.author !== 'contact' || mine?.status !== 'assigned' || mine.agent_id !== session.staff.value?.id) return
    ring('reply', `reply:${id}:${message.seq}`, id, saying('reply', nameOf(mine)), message.text.slice(0, 120))
  }

  /** Somebody waits, or was given to this person by others; each stay is told of once. */
  function waitsOrGiven(next: Conversation, acting: boolean): void {
    const me = session.staff.value
    const stay = `${next.id}:${next.queued_at}:${next.status}:${next.agent_id}`
    if (announced.has(stay) || !me || quiet()) return
    if (next.status === 'queued' && next.offered_to) return // who is asked hears of it by themselves
    const given = next.status === 'assigned' && next.agent_id === me.id && !acting
    if (next.status !== 'queued' && !given) return
    announced.add(stay)
    const kind = next.status === 'queued' ? 'waiting' : 'assigned'
    ring(kind, stay, next.id, saying(kind, nameOf(next)), nameOf(next))
  }

  /** Somebody mentioned this person, or what they snoozed is back; neither needs telling of what is before their eyes. */
  function notice(event: Of<'mention' | 'woke'>): void {
    if (event.conversation_id === openId.value && document.hasFocus()) return markSeen()
    const back = event.type === 'woke'
    const title = back ? i18n.global.t('organise.snooze.cameBack') : saying('mention', event.by_name ?? '')
    const open = () => go(back ? 'mine' : 'mentions', event.conversation_id, event.seq)
    ring(back ? 'assigned' : 'mention', `${event.type}:${event.conversation_id}:${event.seq}`, event.conversation_id, title, nameOf(known.get(event.conversation_id)), open)
  }

  /** Somebody wants something of us, or did something with a conversation of ours. */
  function onCompany(event: Of<'offer' | 'invited' | 'transferred' | 'taken_over' | 'barged_in'>): void {
    if (event.agent_id !== session.staff.value?.id) return
    const name = nameOf(known.get(event.conversation_id))
    if (event.type !== 'offer') company.told.push({ ...event, name })
    if (event.type === 'transferred') return // that it is theirs now has rung already
    const open = () => go(event.type === 'offer' ? 'queued' : 'mine', event.conversation_id)
    ring('assigned', `${event.type}:${event.conversation_id}`, event.conversation_id, company.titles(event, preferences.language), name, open)
  }

  return { reply, waitsOrGiven, notice, company: onCompany, clear: () => announced.clear() }
}
