// What other agents want of us: offers and invitations that run out, and news about conversations of ours.
import { reactive } from 'vue'

import type { LiveEvent } from './live'
import type { Language } from './preferences'
import type { Conversation } from '../types'

type News = Extract<LiveEvent, { type: 'invited' | 'transferred' | 'barged_in' | 'taken_over' }>

/** An offer or an invitation that still stands. */
export interface Request { kind: 'offer' | 'invited'; conversation: Conversation; until: number; seconds: number }

/** Everything that waits for an answer of ours, the most urgent first. */
export function requestsFor(known: Iterable<Conversation>, myId: string, at: number): Request[] {
  const found: Request[] = []
  for (const conversation of known) {
    const offer = conversation.status === 'queued' && conversation.offered_to === myId ? conversation.offered_until : null
    const part = conversation.status === 'assigned' ? conversation.participants?.find((one) => one.agent_id === myId) : undefined
    const invitation = part && part.joined_at === null ? part.invited_until : null
    const until = Date.parse(offer ?? invitation ?? '')
    if (until > at) found.push({ kind: offer ? 'offer' : 'invited', conversation, until, seconds: Math.ceil((until - at) / 1000) })
  }
  return found.sort((a, b) => a.until - b.until)
}

const TITLES: Record<'offer' | News['type'], [string, string]> = {
  offer: ['有新会话邀请您接入', 'A conversation is offered to you'],
  invited: ['同事邀请您协助', 'A colleague asks for your help'],
  transferred: ['同事转来一个会话', 'A conversation was handed to you'],
  barged_in: ['主管加入了您的会话', 'A supervisor joined your conversation'],
  taken_over: ['主管接手了您的会话', 'A supervisor took over your conversation'],
}

function titles(event: Extract<LiveEvent, { type: 'offer' }> | News, language: Language): string {
  return TITLES[event.type][language === 'zh' ? 0 : 1]
}

/** News to be shown once; whoever shows one takes it off. */
const told = reactive<(News & { name: string })[]>([])

export const company = { told, titles }
