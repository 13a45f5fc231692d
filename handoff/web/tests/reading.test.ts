// What the page makes of texts that strangers wrote, and whether it has words for everything.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { abilitiesOf } from '../src/abilities'
import { blocksOf } from '../src/blocks'
import { initials } from '../src/format'
import { en } from '../src/i18n/en'
import { zh } from '../src/i18n/zh'
import { passageHref, safeHref, splitLinks } from '../src/links'
import { conversation, message } from './build'

const BASE = 'https://desk.example'
const SOURCES = join(import.meta.dirname, '..', 'src')

describe('links', () => {
  it('only lead to harmless kinds of address', () => {
    for (const bad of ['javascript:alert(1)', ' JaVaScRiPt:alert(1)', 'data:text/html,x', 'vbscript:x', 'file:///etc/passwd', '']) expect(safeHref(bad, BASE)).toBeNull()
    for (const good of ['https://a.example/x', '/kb/en/a#p', 'mailto:a@b.example', 'tel:+861']) expect(safeHref(good, BASE)).toBe(good)
  })

  it('leave the text as it was written', () => {
    const text = '看 https://kite.example/a?b=1。Then (http://x.example/y), bye javascript:alert(1)'
    const pieces = splitLinks(text, BASE)
    expect(pieces.map((one) => one.text).join('')).toBe(text)
    expect(pieces.flatMap((one) => one.href ?? [])).toEqual(['https://kite.example/a?b=1', 'http://x.example/y'])
  })

  it('lead from a passage to its place in the article', () => {
    expect(passageHref('returns-01/en/how-long-1')).toBe('/kb/en/returns-01#how-long-1')
    expect(passageHref('nonsense')).toBeNull()
  })

  it('are never built from raw HTML anywhere', () => {
    for (const file of readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(vue|ts)$/.test(name))) {
      expect(readFileSync(join(SOURCES, file), 'utf8'), file).not.toMatch(/v-html|innerHTML|insertAdjacentHTML|document\.write/)
    }
  })
})

describe('a transcript on the page', () => {
  const me = { id: 'me', name: 'Me' }

  it('groups neighbouring messages of one author and keeps notes apart', () => {
    const blocks = blocksOf(
      [message(1), message(2), message(3, { author: 'agent', author_id: 'me' }), message(4, { author: 'agent', author_id: 'me', kind: 'note' }), message(5, { author: 'system', kind: 'activity' })],
      [], me,
    )
    expect(blocks.map((one) => (one.type === 'group' ? `${one.author}${one.note ? ' note' : ''} ${one.messages.length}` : one.type))).toEqual(['day', 'contact 2', 'agent 1', 'agent note 1', 'line'])
  })

  it('starts a new day line when the day changes', () => {
    const blocks = blocksOf([message(1), message(2, { created_at: '2026-11-25T08:00:00.000Z' })], [], me)
    expect(blocks.filter((one) => one.type === 'day')).toHaveLength(2)
  })
})

describe('abilities', () => {
  const agent = { id: 'me', role: 'agent' } as const
  const supervisor = { id: 'boss', role: 'supervisor' } as const

  it('let agents act on what they hold and accept what waits', () => {
    expect(Object.values(abilitiesOf(conversation('a'), agent)).filter((why) => why !== null)).toEqual(['notYours'])
    const queued = abilitiesOf(conversation('a', { status: 'queued', agent_id: null }), agent)
    expect([queued.accept, queued.reply, queued.resolve]).toEqual([null, 'queuedFirst', 'queuedFirst'])
    expect(abilitiesOf(conversation('a', { agent_id: 'sam' }), agent).transfer).toBe('notYours')
  })

  it('let supervisors move what others hold, but not speak in it', () => {
    const held = abilitiesOf(conversation('a', { agent_id: 'sam' }), supervisor)
    expect([held.transfer, held.note, held.reply]).toEqual([null, null, 'notYours'])
    expect(abilitiesOf(conversation('a', { status: 'bot', agent_id: null }), supervisor).accept).toBeNull()
  })

  it('let trainers read only', () => {
    expect(new Set(Object.values(abilitiesOf(conversation('a'), { id: 'me', role: 'trainer' })))).toEqual(new Set(['readOnly']))
  })
})

describe('texts', () => {
  const keys = (value: object, path = ''): string[] => Object.entries(value).flatMap(([key, one]) => (typeof one === 'string' ? [path + key] : keys(one as object, `${path}${key}.`)))

  it('exist in both languages with the same placeholders', () => {
    const find = (root: object, key: string) => key.split('.').reduce<unknown>((one, part) => (one as Record<string, unknown>)[part], root) as string
    expect(keys(zh).sort()).toEqual(keys(en).sort())
    const named = (text: string) => [...new Set(text.match(/\{\w+\}/g) ?? [])].filter((one) => one !== '{n}').sort()
    for (const key of keys(en)) expect(named(find(zh, key)), key).toEqual(named(find(en, key)))
  })

  it('exist for everything the sources ask for', () => {
    const known = new Set(keys(en))
    for (const file of readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.vue') || name.endsWith('.ts'))) {
      for (const [, key] of readFileSync(join(SOURCES, file), 'utf8').matchAll(/\bt\('([\w.]+)'/g)) expect(known, `${file}: ${key}`).toContain(key)
    }
  })

  it('give people initials in either script', () => {
    expect(['陈雨', 'Sam Rivera', 'Chen Yu 陈雨', 'madonna'].map(initials)).toEqual(['陈', 'SR', 'CY', 'M'])
  })
})
