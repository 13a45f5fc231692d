// Lists as people type them: words with commas of either script between them.
export function toList(text: string): string[] {
  return [...new Set(text.split(/[,，、;；\n]/).map((one) => one.trim()).filter(Boolean))]
}

export function fromList(items: readonly string[] | undefined): string {
  return (items ?? []).join(', ')
}
