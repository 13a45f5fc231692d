// What intents that trainers made are called, as messages of vue-i18n.

export interface IntentTitle { name: string; zh: string; en: string }
type Messages = { intent: Record<string, () => string> }

/** Functions, because a title is no message: braces and bars in it mean themselves. */
export function titleMessages(titles: IntentTitle[]): { zh: Messages; en: Messages } {
  const named = (language: 'zh' | 'en'): Messages => ({ intent: Object.fromEntries(titles.map((one) => [one.name, () => one[language]])) })
  return { zh: named('zh'), en: named('en') }
}
