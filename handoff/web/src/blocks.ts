// Turns a transcript into what is drawn: day lines, activity lines, and groups of bubbles by one author.
import { dayKey } from './format'
import type { Pending } from './stores/transcript'
import type { Author, Message } from './types'

export interface Group {
  type: 'group'
  key: string
  author: Author
  authorId: string | null
  authorName: string | null
  note: boolean
  origin: string | null //: the merged conversation it was said in, if not the open one
  messages: Message[]
  pending: Pending[]
}
export type Block = { type: 'day'; key: string; at: string } | { type: 'line'; key: string; message: Message } | Group

const GROUP_MS = 5 * 60_000

export function blocksOf(messages: readonly Message[], pending: readonly Pending[], me: { id: string; name: string }, ownId = ''): Block[] {
  const blocks: Block[] = []
  let day = ''
  let previousAt = ''

  function startDay(at: string): void {
    const key = dayKey(at)
    if (key === day) return
    day = key
    blocks.push({ type: 'day', key: `day-${key}`, at })
  }

  function groupFor(author: Author, authorId: string | null, authorName: string | null, note: boolean, at: string, key: string, origin: string | null): Group {
    const last = blocks[blocks.length - 1]
    const near = previousAt !== '' && Date.parse(at) - Date.parse(previousAt) < GROUP_MS
    if (last?.type === 'group' && near && last.author === author && last.authorId === authorId && last.note === note && last.origin === origin) return last
    const group: Group = { type: 'group', key, author, authorId, authorName, note, origin, messages: [], pending: [] }
    blocks.push(group)
    return group
  }

  for (const message of messages) {
    startDay(message.created_at)
    if (message.kind === 'activity' || message.kind === 'rating_request' || message.author === 'system') {
      blocks.push({ type: 'line', key: message.id, message })
    } else {
      const group = groupFor(
        message.author, message.author_id ?? null, message.author_name, message.kind === 'note', message.created_at, message.id,
        ownId && message.conversation_id !== ownId ? message.conversation_id : null,
      )
      group.messages.push(message)
    }
    previousAt = message.created_at
  }
  for (const one of pending) {
    if (one.echoed) continue
    startDay(one.created_at)
    groupFor('agent', me.id, me.name, one.kind === 'note', one.created_at, one.client_msg_id, null).pending.push(one)
    previousAt = one.created_at
  }
  return blocks
}
