import { describe, expect, it } from 'vitest'

import { abilitiesOf, companyOf } from '../src/abilities'
import { fromList, toList } from '../src/lists'
import { requestsFor } from '../src/stores/company'
import { belongs, inOrder } from '../src/stores/inbox'
import { at, conversation } from './build'

const me = { id: 'me', role: 'agent' as const }
const boss = { id: 'boss', role: 'supervisor' as const }
const until = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString()
const guest = (joined: boolean, id = 'me') => ({ agent_id: id, name: 'Me', role: 'guest' as const, joined_at: joined ? at(1) : null, invited_until: joined ? null : until(60) })
const theirs = (more = {}) => conversation('c', { agent_id: 'other', agent_name: 'Other', ...more })

describe('several agents in one conversation', () => {
  it('lets a participant write but not decide', () => {
    const can = abilitiesOf(theirs({ participants: [guest(true)] }), me)
    expect([can.reply, can.note, can.resolve, can.transfer]).toEqual([null, null, 'notYours', 'notYours'])
    expect(companyOf(theirs({ participants: [guest(true)] }), me)).toEqual({ invite: false, join: false, leave: true, bargeIn: false, takeOver: false })
  })

  it('offers auditors nothing but to read', () => {
    const auditor = { id: 'eye', role: 'auditor' as const }
    for (const one of [theirs(), theirs({ status: 'queued', agent_id: null }), theirs({ status: 'bot', agent_id: null })]) {
      expect(new Set(Object.values(abilitiesOf(one, auditor)))).toEqual(new Set(['readOnly']))
      expect(Object.values(companyOf(one, auditor))).toEqual([false, false, false, false, false])
    }
  })

  it('says of a merged conversation that it goes on elsewhere', () => {
    const can = abilitiesOf(theirs({ status: 'resolved', merged_into: 'd' }), me)
    expect([can.reply, can.accept, can.resolve]).toEqual(['merged', 'merged', 'merged'])
  })

  it('shows an invitation among mine and lets me join', () => {
    const invited = theirs({ participants: [guest(false)] })
    expect(belongs('mine', invited, 'me')).toBe(true)
    expect(companyOf(invited, me).join).toBe(true)
    expect(belongs('mine', theirs(), 'me')).toBe(false)
  })

  it('offers joining and taking over to supervisors only, and never on their own conversations', () => {
    expect(companyOf(theirs(), boss)).toMatchObject({ bargeIn: true, takeOver: true })
    expect(companyOf(theirs(), me)).toMatchObject({ bargeIn: false, takeOver: false })
    expect(companyOf(conversation('c', { agent_id: 'boss' }), boss)).toMatchObject({ bargeIn: false, takeOver: false, invite: true })
    expect(companyOf(theirs({ status: 'queued', agent_id: null }), boss)).toMatchObject({ bargeIn: false, takeOver: false })
  })
})

describe('offers', () => {
  const offered = (id: string, to: string, seconds: number) => conversation(id, { status: 'queued', agent_id: null, offered_to: to, offered_until: until(seconds) })

  it('lists what is asked of me while it stands, the most urgent first', () => {
    const known = [offered('late', 'me', 30), offered('theirs', 'other', 30), offered('soon', 'me', 5), offered('over', 'me', -1), theirs({ participants: [guest(false)] })]
    expect(requestsFor(known, 'me', Date.now()).map((one) => [one.kind, one.conversation.id])).toEqual([['offer', 'soon'], ['offer', 'late'], ['invited', 'c']])
  })

  it('is not to be accepted while a colleague is asked, except by a supervisor', () => {
    expect(abilitiesOf(offered('c', 'other', 20), me).accept).toBe('offered')
    expect(abilitiesOf(offered('c', 'other', 20), boss).accept).toBeNull()
    expect(abilitiesOf(offered('c', 'me', 20), me).accept).toBeNull()
    expect(abilitiesOf(offered('c', 'other', -5), me).accept).toBeNull()
  })
})

it('serves the queue by rank, as the server does', () => {
  const queued = (id: string, rank: number, second: number) => conversation(id, { status: 'queued', agent_id: null, queued_at: at(second), rank_at: at(rank) })
  expect(inOrder('queued', [queued('b', 5, 1), queued('a', 3, 9), queued('c', 5, 2)]).map((one) => one.id)).toEqual(['a', 'b', 'c'])
})

it('reads lists with commas of either script', () => {
  expect(toList('退款, 技术，发票、 技术;')).toEqual(['退款', '技术', '发票'])
  expect(fromList(['a', 'b'])).toBe('a, b')
})
