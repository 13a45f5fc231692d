// The summary card in both languages, drawn from the data an agent gets with a handed-off conversation.
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { createSSRApp, h } from 'vue'
import { createI18n } from 'vue-i18n'
import { renderToString } from 'vue/server-renderer'

import SummaryCard from '../src/components/SummaryCard.vue'
import { en } from '../src/i18n/en'
import { zh } from '../src/i18n/zh'
import { moodOf } from '../src/moods'
import { courseOf, detailOf } from '../src/summary'
import type { HandoffSummary } from '../src/types'

const SUMMARY: HandoffSummary = {
  made_at: '2026-11-21T08:00:00.000Z', reason: 'angry', reasons: ['two_misses', 'angry'], detail: { anger: 0.93, messages: 1 }, language: 'zh', channel: 'webchat',
  wants: { intent: 'return_refund', said: '我要退货<b>现在</b>', seq: 3 },
  details: [{ name: 'order_number', value: 'KT20260001', seq: 3 }],
  tried: { articles: [{ title: '退货说明', url: '/kb/zh/returns', seq: 4 }, { title: 'Bad', url: 'javascript:alert(1)', seq: 5 }], tasks: [{ task: 'return_refund', outcome: 'failed', seq: 4 }], clarified: 1, missed: 2, turns: 4 },
  sentiment: { label: 'negative', value: -0.9, trend: 'worse', course: [{ seq: 1, value: 0, label: 'neutral', anger: 0 }, { seq: 3, value: -0.9, label: 'negative', anger: 0.93 }] },
  added: [{ seq: 6, text: '快一点', files: 1 }],
  record: { order: { number: 'KT20260001', status: 'delivered', items: [{ zh: '音箱', en: 'Speaker', quantity: 2 }] }, ticket: null },
  rewritten: null,
}

beforeAll(() => {
  vi.stubGlobal('window', { location: { origin: 'https://desk.example' } })
})

async function drawn(locale: 'zh' | 'en', summary: HandoffSummary = SUMMARY): Promise<string> {
  const app = createSSRApp({ render: () => h(SummaryCard, { summary }) })
  app.use(createI18n({ legacy: false, locale, fallbackLocale: 'en', messages: { zh, en } }))
  return renderToString(app)
}

describe('the summary card', () => {
  it.each([
    ['en', ['Return or refund', 'Upset', 'sounded angry', '93% sure', 'before: Bot did not know', 'failed', 'asked back 1 time', 'no answer 2 times', 'Angry or in distress', 'getting worse', 'Delivered', 'Speaker × 2', 'Order']],
    ['zh', ['情绪激动', '听起来很生气', '把握 93%', '此前：机器人答不上', '没办成', '反问 1 次', '答不上 2 次', '愤怒或焦急', '越来越差', '音箱 × 2', '排队时补充', '快一点']],
  ] as const)('says everything in %s', async (locale, texts) => {
    const html = await drawn(locale)
    for (const text of texts) expect(html).toContain(text)
  })

  it('shows what the customer wrote as text, and follows only safe addresses', async () => {
    const html = await drawn('en')
    expect(html).toContain('我要退货&lt;b&gt;现在&lt;/b&gt;')
    expect(html).toContain('href="/kb/zh/returns"')
    expect(html).not.toContain('javascript:')
  })

  it('is calm where little is known', async () => {
    const html = await drawn('en', { ...SUMMARY, wants: null, details: [], sentiment: null, added: [], record: null, detail: {}, reasons: ['vip'], reason: 'vip', tried: { articles: [], tasks: [], clarified: 0, missed: 0, turns: 0 } })
    expect(html).toContain('Not clear yet')
    expect(html).toContain('Nothing yet')
    expect(html).not.toContain('undefined')
  })

  it('shows the wording of a language model in the reader’s language only', async () => {
    const rewritten = { en: 'Wants to return a speaker.', model: 'small' }
    expect(await drawn('en', { ...SUMMARY, rewritten })).toContain('Wants to return a speaker.')
    expect(await drawn('zh', { ...SUMMARY, rewritten })).not.toContain('Wants to return a speaker.')
  })
})

describe('moods and figures', () => {
  it('tells anger from displeasure, and nothing from nothing', () => {
    expect([moodOf('negative', 0.9), moodOf('negative', 0.1), moodOf('positive', 0.9), moodOf(null), moodOf('odd')]).toEqual(['angry', 'negative', 'positive', null, null])
  })

  it.each([
    [{ anger: 0.5 }, 'anger'], [{ failures: 2 }, 'failures'], [{ misses: 2 }, 'misses'], [{ turns: 2, confidence: 0.1 }, 'turns'], [{ by: 'bot', times: 3 }, 'byBot'], [{ by: 'contact', times: 3 }, 'byContact'], [{ tier: 'vip' }, 'tier'],
  ])('names the figure of %j', (detail, key) => expect(detailOf(detail)?.key).toBe(key))

  it('knows no course without sentiment', () => expect(courseOf({ ...SUMMARY, sentiment: null }).now).toBeNull())
})

describe('texts', () => {
  it('explain every reason in both languages', () => {
    for (const texts of [en, zh]) expect(Object.keys(texts.signals.why).sort()).toEqual(Object.keys(texts.reason).sort())
  })
})
