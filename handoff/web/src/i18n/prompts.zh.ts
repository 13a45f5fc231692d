// 提示词与回答措辞的中文文字；键与 `prompts.en.ts` 完全一致。
import type { pages as Pages, phrasing as Phrasing, prompts as Prompts } from './prompts.en'

export const prompts: typeof Prompts = {
  title: '提示词', intro: '这里决定怎样请语言模型组织回答。模型写的每句话都会与段落核对，只要有一句得不到支持，顾客看到的就是文章原文摘录。',
  model: '模型：{name}', noModel: '未配置语言模型', noModelText: '目前直接摘录文章原文作答。提示词照样可以编写和测试，测试会显示将要发送的内容。',
  name: { answer_en: '英文回答', answer_zh: '中文回答' },
  versions: '版本', version: '版本 {n}', inUse: '使用中', box: '产品自带', noNote: '无说明', used: '{at} 起使用，操作人：{name}', history: '启用记录', historyLine: '版本 {n} · {at} · {name}',
  template: '模板', templateHint: '花括号里的变量会按每个问题填入。点击变量可插入到光标处。', required: '必填', frame: '固定附带的规则', frameText: '这部分不能修改：说明哪些是资料、回答用什么格式。BOUNDARY 每次提问都会换成新的随机词。',
  values: '自定义内容', value: { shop_name: '店铺名称', tone: '语气' },
  variable: { question: '顾客的问题', passages: '文章里的相关段落', history: '最近几句对话', language: '回答所用语言', date: '今天的日期', shop_name: '在下方填写', tone: '在下方填写' },
  note: '这一版改了什么？', notePlaceholder: '写给同事看，例如：回答更简短', save: '保存为新版本', saved: '版本 {n} 已保存，尚未启用。', unchanged: '没有改动。', changed: '尚未保存',
  use: '启用版本 {n}', useSure: '从下一条回答起使用版本 {n}？', nowUsed: '版本 {n} 已启用。', goBack: '退回版本 {n}', cancel: '取消', reset: '撤销改动', leave: '有改动尚未保存，确定放弃吗？',
  test: '用问题试一试', testHint: '使用上面的草稿，不必先保存。', question: '问题', questionPlaceholder: '买了几天内可以退？', run: '测试', running: '测试中…', phrased: '顾客将看到', quoted: '原文摘录', noAnswer: '没有文章能很好地回答这个问题（得分 {score}，需要 {gate}），机器人会反问顾客。下面是最接近的段落。', sources: '来源',
  failed: '提示词读取失败：{message}', notSaved: '未保存：{message}',
  error: {
    prompt_empty: '模板是空的。', prompt_too_long: '内容太长：{name}', prompt_unknown_variable: '没有名为“{name}”的变量。', prompt_open_braces: '花括号没有成对（{name}）。', prompt_missing_variable: '模板里必须有变量“{name}”。', prompt_twice: '变量“{name}”只能用一次。',
    prompt_missing_value: '模板用到了“{name}”，但对应的内容还没填。', prompt_unknown_value: '没有名为“{name}”的字段。', prompt_unknown_version: '没有版本 {name}。', prompt_no_question: '请先输入一个问题。',
  },
}

export const phrasing: typeof Phrasing = {
  title: '回答措辞', usedGenerated: '由语言模型组织，每句话都有依据。', usedExtractive: '摘录文章原文。', sentences: '模型写的句子', supported: '有依据', refused: '无依据', by: '依据 {id}', passages: '提供的段落', prompt: '发送的内容', output: '返回的内容', promptVersion: '{name}，版本 {n}', draft: '{name}，草稿', modelTime: '模型', checkTime: '核对', attempts: '请求 1 次 | 请求 {n} 次', system: '规则', user: '提示词', sure: '把握 {p}',
  reason: {
    no_endpoint: '未配置语言模型。', not_asked: '没有文章能很好地回答，因此没有请求模型。', no_passages: '段落中没有可用的内容。', timeout: '模型没有及时返回。', no_time: '这一轮已没有剩余时间。', resting: '模型连续出错，暂停请求一段时间。', no_time_to_check: '没有时间核对回答。', not_as_documented: '服务器返回的内容无法读取。', cut_off: '模型的回答被截断。',
    refused: '模型拒绝回答。', empty: '模型没有返回内容。', too_large: '服务器返回的内容过大。', too_long: '模型的回答过长。', not_json: '模型没有按要求的格式回答。', not_as_asked: '模型没有按要求的格式回答。', model_has_no_answer: '模型认为段落中没有答案。', internal: '系统内部出错，已记录日志。', status: '服务器返回状态码 {code}。', connection: '无法连接模型服务器。', other: '没有采用模型的回答（{code}）。', unsupported: '有句子缺乏依据：{why}',
  },
  why: {
    number: '段落里没有这个数字（{detail}）', number_elsewhere: '段落里这个数字说的是别的事（{detail}）', name: '段落里没有这个名称（{detail}）', link: '段落里没有这个地址（{detail}）', negation: '段落的说法相反，或没有这样说', meaning: '段落没有这个意思', mixed: '把段落里说不同事情的话拼在了一起', clause: '有一部分内容不在段落里', language: '不是顾客使用的语言', prompt: '出现了提示词的内容', markup: '不是纯文本', no_passage: '没有注明段落', unknown_passage: '注明的段落并未提供', too_long: '过长',
  },
}

export const pages: typeof Pages = { label: '设置', supervision: '运营监控', training: '训练机器人', teams: '团队', synonyms: '同义词', prompts: '提示词', assist: '辅助' }
