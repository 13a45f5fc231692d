// Whoever types Chinese confirms a word with Enter, chooses one with the arrows and gives it up with Escape: nothing else hears these keys.
import { readdirSync, readFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import { composes } from '../src/input_method'

const COMPONENTS = new URL('../src/components/', import.meta.url)
const sources = readdirSync(COMPONENTS).filter((file) => file.endsWith('.vue')).map((file) => ({ file, text: readFileSync(new URL(file, COMPONENTS), 'utf8') }))
const key = (more: Partial<KeyboardEvent>) => ({ key: 'Enter', isComposing: false, keyCode: 13, ...more }) as KeyboardEvent
/** Keys in these do nothing a word could be typed into: buttons of a drawing, and a field whose Enter does nothing. */
const NO_WORDS = ['ConfusionMap.vue', 'ModelLimitChart.vue', 'ReplayJudge.vue', 'WallBoard.vue', 'SnoozePicker.vue']

describe('keys of an input method', () => {
  it('are known while it composes, and where the browser ends that before the key', () => {
    expect(composes(key({ isComposing: true }))).toBe(true)
    expect(composes(key({ keyCode: 229 }))).toBe(true)
    expect(composes(key({}))).toBe(false)
  })

  it('are left to it wherever a key does something', () => {
    const listening = sources.filter(({ text }) => /@keydown|'keydown'/.test(text)).map(({ file }) => file)
    expect(listening).toEqual(expect.arrayContaining(['MessageComposer.vue', 'LabelPicker.vue', ...NO_WORDS]))
    const deaf = sources.filter(({ file, text }) => listening.includes(file) && !NO_WORDS.includes(file) && !text.includes('composes(')).map(({ file }) => file)
    expect(deaf).toEqual([])
  })

  it('are told apart by one rule, and what a template does at once asks it first', () => {
    for (const { file, text } of sources) {
      expect(text, file).not.toMatch(/isComposing|keyCode === 229/)
      if (NO_WORDS.includes(file)) continue
      for (const [, action] of text.matchAll(/@keydown[\w.]*="([^"]*[(=][^"]*)"/g)) expect(action, file).toMatch(/^composes\(\$event\) \|\| /)
    }
  })

  it('move nothing in lists and days of the search either, which have their own use for the arrows', () => {
    const page = sources.find(({ file }) => file === 'SearchPage.vue')!.text
    expect(page).toContain("matches('select, input[type=date]')")
  })
})
