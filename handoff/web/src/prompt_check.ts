// What is wrong with a template, found while it is typed. The server decides; this is only quicker.
import type { PromptVariable } from './types'

export interface Problem { code: string; name: string }

const VARIABLE = /\{\{\s*([^{}]*?)\s*\}\}/g

export function problemsOf(template: string, values: Record<string, string>, variables: PromptVariable[], limit: number): Problem[] {
  if (!template.trim()) return [{ code: 'prompt_empty', name: '' }]
  const problems: Problem[] = []
  if (template.trim().length > limit) problems.push({ code: 'prompt_too_long', name: `${template.trim().length} / ${limit}` })
  const used = [...template.matchAll(VARIABLE)].map((match) => match[1] ?? '')
  const known = new Map(variables.map((one) => [one.name, one]))
  for (const name of new Set(used)) if (!known.has(name)) problems.push({ code: 'prompt_unknown_variable', name: name || '{{}}' })
  const rest = template.replace(VARIABLE, '')
  const half = ['{{', '}}'].find((mark) => rest.includes(mark))
  if (half) problems.push({ code: 'prompt_open_braces', name: half })
  for (const one of variables) {
    const times = used.filter((name) => name === one.name).length
    if (one.required && !times) problems.push({ code: 'prompt_missing_variable', name: one.name })
    if (one.data && times > 1) problems.push({ code: 'prompt_twice', name: one.name })
    if (one.value && times && !values[one.name]?.trim()) problems.push({ code: 'prompt_missing_value', name: one.name })
  }
  return problems
}
