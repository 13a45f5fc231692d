import { describe, expect, it } from 'vitest'

import { ApiError, type ContactPane } from '../src/api'
import { isConflict, refusedWords, TICKET_MOVES, ticketLines } from '../src/contact_words'
import { contacts as en } from '../src/i18n/contacts.en'
import { contacts as zh } from '../src/i18n/contacts.zh'
import { createContact } from '../src/stores/contact'
import type { ContactProfile, Past } from '../src/types'
import { at, conversation, settled } from './build'

const past = (id: string, second: number): Past => ({ ...conversation(id, { opened_at: at(second) }), first_words: `about ${id}`, rating: null })
const profile = (more: Partial<ContactProfile> = {}): ContactProfile => ({
  id: 'ann', name: 'Ann', language: null, tier: null, note: '', customer_id: null, linked_customer_id: null, linked_by: null, linked_at: null, revision: 3, erased: false, created_at: at(0), addresses: [], ...more,
})
const pane = (more: Partial<ContactPane> = {}): ContactPane => ({
  contact: profile(), identity: 'none', customer: null, orders: [], tickets: [], crm_available: true, together_with: [], merges: [], conversations: [past('c', 3)], cursor: null, ...more,
})

/** A server that answers with what the test put there. */
function server() {
  const held: { panes: Record<string, ContactPane>; pages: Past[][]; refuse: Error | null; asked: string[]; edits: unknown[] } = { panes: { ann: pane() }, pages: [], refuse: null, asked: [], edits: [] }
  const contact = createContact(
    {
      async contact(id) {
        held.asked.push(id)
        const found = held.panes[id]
        if (!found) throw new ApiError(404, 'not_found', 'gone')
        return found
      },
      async contactConversations() {
        const conversations = held.pages.shift() ?? []
        return { conversations, cursor: held.pages.length ? 'more' : null }
      },
      async editContact(_id, change) {
        if (held.refuse) throw held.refuse
        held.edits.push(change)
        return { contact: profile({ ...change }) }
      },
      async editCustomer(_id, change) {
        held.edits.push(change)
        throw held.refuse
      },
    },
    () => 'k'.repeat(32),
  )
  return { held, contact }
}

describe('the contact pane', () => {
  it('shows the contact of the open conversation and forgets it with the conversation', async () => {
    const { contact } = server()
    contact.follow('ann')
    expect(contact.loading.value).toBe(true)
    await settled()
    expect([contact.pane.value?.contact.name, contact.past.value.length, contact.loading.value]).toEqual(['Ann', 1, false])
    contact.panels.ticket = 'new'
    contact.follow(null)
    expect([contact.pane.value, contact.past.value.length, contact.panels.ticket]).toEqual([null, 0, null])
  })

  it('says that it could not be read, and tries again when asked', async () => {
    const { held, contact } = server()
    contact.follow('bo')
    await settled()
    expect([contact.pane.value, contact.failed.value instanceof ApiError]).toEqual([null, true])
    held.panes.bo = pane({ contact: profile({ id: 'bo' }) })
    await contact.refresh()
    expect([contact.pane.value?.contact.id, contact.failed.value]).toEqual(['bo', null])
  })

  it('drops what arrives for a contact that is not shown any more', async () => {
    const { held, contact } = server()
    held.panes.bo = pane({ contact: profile({ id: 'bo' }) })
    contact.follow('ann')
    contact.follow('bo')
    await settled()
    expect(contact.pane.value?.contact.id).toBe('bo')
  })

  it('reads the history page by page, each conversation once', async () => {
    const { held, contact } = server()
    held.panes.ann = pane({ cursor: 'first' })
    held.pages = [[past('c', 3), past('b', 2)], [past('a', 1)]]
    contact.follow('ann')
    await settled()
    await contact.more()
    await contact.more()
    expect([contact.past.value.map((one) => one.id), contact.cursor.value]).toEqual([['c', 'b', 'a'], null])
    await contact.refresh() // what was unfolded stays unfolded
    expect(contact.past.value.map((one) => one.id)).toEqual(['c', 'b', 'a'])
  })

  it('reads again when a colleague changed the contact, and not for its own change', async () => {
    const { held, contact } = server()
    held.panes.ann = pane({ together_with: ['cal'] })
    contact.follow('ann')
    await settled()
    contact.apply({ type: 'contact', contact_id: 'ann', revision: 3 })
    contact.apply({ type: 'contact', contact_id: 'somebody', revision: 9 })
    expect(held.asked).toEqual(['ann'])
    contact.apply({ type: 'contact', contact_id: 'ann', revision: 4 })
    contact.apply({ type: 'contact', contact_id: 'cal', revision: 1 })
    await settled()
    expect(held.asked).toEqual(['ann', 'ann', 'ann'])
  })

  it('shows the newer state after a conflict and lets the refusal through', async () => {
    const { held, contact } = server()
    contact.follow('ann')
    await settled()
    held.refuse = new ApiError(409, 'contact_changed', 'changed')
    held.panes.ann = pane({ contact: profile({ name: 'Anne', revision: 4 }) })
    await expect(contact.edit('name', 'Annie', 3)).rejects.toThrow('changed')
    expect([contact.pane.value?.contact.name, contact.pane.value?.contact.revision]).toEqual(['Anne', 4])
    held.refuse = null
    await contact.edit('name', 'Annie', 4)
    expect([held.edits.at(-1), contact.pane.value?.contact.name]).toEqual([{ revision: 4, name: 'Annie' }, 'Annie'])
  })
})

describe('refusals', () => {
  const words = (language: typeof en) => {
    const find = (key: string) => key.split('.').slice(1).reduce<unknown>((part, name) => (part as Record<string, unknown> | undefined)?.[name], language)
    return { te: (key: string) => typeof find(key) === 'string', t: (key: string, values: Record<string, unknown> = {}) => String(find(key) ?? key).replace(/\{(\w+)\}/g, (_, name: string) => String(values[name])) }
  }

  it('name the field in both languages', () => {
    const phone = new ApiError(400, 'invalid_field', 'not a usable phone', 'phone')
    expect(refusedWords(phone, words(en))).toContain('not a phone number')
    expect(refusedWords(phone, words(zh))).toContain('电话号码不正确')
    const taken = new ApiError(409, 'contact_in_use', 'taken', 'email')
    expect(refusedWords(taken, words(en))).toBe('Another account already uses this e-mail address.')
    expect(refusedWords(taken, words(zh))).toBe('这个邮箱已被另一个账户使用。')
  })

  it('fall back to the server’s words, and know a conflict', () => {
    expect(refusedWords(new ApiError(418, 'teapot', 'I am a teapot'), words(en))).toBe('I am a teapot')
    expect([isConflict(new ApiError(409, 'contact_changed', '')), isConflict(new ApiError(409, 'contact_in_use', ''))]).toEqual([true, false])
  })
})

describe('tickets', () => {
  it('tell what was said and changed in one order', () => {
    const lines = ticketLines({ comments: [{ author: 'Sam', text: 'sent', at: at(2) }], events: [{ author: 'Chen', field: 'status', old: 'open', new: 'in_progress', at: at(1) }] })
    expect(lines.map((line) => [line.author, line.text, line.event?.new ?? null])).toEqual([['Chen', '', 'in_progress'], ['Sam', 'sent', null]])
  })

  it('are taken up again before they can wait', () => {
    expect(TICKET_MOVES.resolved).toEqual(['open', 'in_progress'])
  })
})
