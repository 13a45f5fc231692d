import { describe, expect, it } from 'vitest'

import { problemsOf } from '../src/prompt_check'
import { differs } from '../src/stores/prompts'
import type { PromptVariable } from '../src/types'

const VARIABLES: PromptVariable[] = [
  { name: 'question', required: true, data: true, value: false },
  { name: 'passages', required: true, data: true, value: false },
  { name: 'language', required: false, data: false, value: false },
  { name: 'tone', required: false, data: false, value: true },
]
const GOOD = 'Answer {{question}} from {{ passages }} in {{language}}, {{language}}.'
const codes = (template: string, values: Record<string, string> = {}) => problemsOf(template, values, VARIABLES, 200).map((one) => `${one.code}:${one.name}`)

describe('a template while it is typed', () => {
  it('is fine when every required variable is there once', () => {
    expect(codes(GOOD)).toEqual([])
    expect(codes(`${GOOD} {{tone}}`, { tone: 'kind' })).toEqual([])
  })

  it.each([
    ['', 'prompt_empty:'],
    [`${GOOD}{{colour}}`, 'prompt_unknown_variable:colour'],
    [`${GOOD}{{}}`, 'prompt_unknown_variable:{{}}'],
    [`${GOOD}{{language`, 'prompt_open_braces:{{'],
    [`${GOOD}}}`, 'prompt_open_braces:}}'],
    [`${GOOD}{{question}}`, 'prompt_twice:question'],
    ['{{question}}', 'prompt_missing_variable:passages'],
    [`${GOOD}{{tone}}`, 'prompt_missing_value:tone'],
    [GOOD + 'x'.repeat(200), 'prompt_too_long:270 / 200'],
  ])('%s has the problem %s', (template, problem) => {
    expect(codes(template)).toContain(problem)
  })
})

describe('a draft', () => {
  it('differs only in what would be saved', () => {
    const saved = { template: GOOD, values: { tone: 'kind' } }
    expect(differs({ template: `${GOOD}\n`, values: { tone: 'kind ', shop_name: '' } }, saved)).toBe(false)
    expect(differs({ template: `${GOOD}!`, values: { tone: 'kind' } }, saved)).toBe(true)
    expect(differs({ template: GOOD, values: {} }, saved)).toBe(true)
  })
})
