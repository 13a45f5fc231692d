// Every word the widget says by itself, in both languages.
import { type Language, MAX_TEXT } from './protocol';

const zh = {
  title: '在线客服',
  open: '打开客服对话',
  close: '关闭对话',
  menu: '更多',
  person: '转人工客服',
  personMessage: '转人工',
  elsewhere: '换个渠道继续',
  elsewhereMessage: '换个渠道继续',
  bot: '智能助手',
  agent: '客服',
  statusBot: '智能助手在线，随时解答',
  statusQueued: '正在等待人工客服',
  statusQueuedAt: '排队中，前面还有 {n} 位',
  statusQueuedNext: '排队中，您是下一位',
  waitMinutes: '，约 {n} 分钟',
  waitHours: '，约 {n} 小时',
  statusClosed: '留言已收到，上班后回复您',
  statusAssigned: '人工客服为您服务中',
  statusResolved: '对话已结束，发消息即可重新开始',
  statusMerged: '已并入您的另一个对话',
  connecting: '正在连接…',
  offline: '网络已断开，正在重新连接…',
  offlineKept: '您的消息已保留，连上后自动发送。',
  greeting: '您好！订单、发货、退换货、发票和产品使用，都可以直接问我。',
  greetingMore: '说“转人工”就能找到真人客服。',
  placeholder: '输入您的问题…',
  send: '发送',
  attach: '添加图片或文件',
  remove: '移除',
  dropHere: '松开即可添加文件',
  conversation: '对话内容',
  typing: '对方正在输入',
  waiting: '等待发送',
  sending: '发送中',
  sent: '已送达',
  read: '已读',
  recalled: '客服撤回了一条消息',
  failed: '发送失败，点按重试',
  discard: '删除',
  newMessages: '以下是新消息',
  toLatest: '查看最新消息',
  today: '今天',
  yesterday: '昨天',
  source: '来源',
  uploading: '上传中',
  uploadFailed: '上传失败，点按重试',
  tooLarge: '文件超过 10 MB，请换一个小一点的。',
  fileEmpty: '文件是空的，请另选一个。',
  fileType: '不支持这种类型的文件。',
  pictureDamaged: '图片打不开，请重新保存后再发。',
  pictureLarge: '图片太大，请缩小后再发。',
  tooMany: '一次最多发送 5 个文件。',
  detailsTitle: '我们上班后怎么联系您？',
  detailsPoint: '手机号或邮箱',
  detailsPointHint: '例如：13800000000',
  detailsTime: '方便联系的时间（选填）',
  detailsTimeHint: '例如：下午两点以后',
  detailsTimeIs: '方便联系的时间：{n}',
  detailsWrong: '这个号码或邮箱好像不完整，请再核对一下。',
  detailsSend: '提交',
  detailsNo: '不用联系我，我在这里等回复',
  rateTitle: '这次服务怎么样？',
  rateComment: '还有什么想告诉我们的？（选填）',
  rateSend: '提交评价',
  rateAgent: '{n} 的服务怎么样？',
  rateBot: '智能助手的服务怎么样？',
  rateAlso: '那之前的{n}呢？（选填）',
  rateAlsoBot: '那之前的智能助手呢？（选填）',
  rateWasSolved: '您的问题解决了吗？',
  rateYes: '解决了',
  rateNo: '没解决',
  rateSolved: '问题已解决',
  rateNotSolved: '问题没有解决',
  rateNps: '您有多愿意把我们推荐给朋友？',
  npsLow: '不太会',
  npsHigh: '非常愿意',
  rateNever: '以后不再询问',
  rateChange: '修改评价',
  rateClosed: '这次评价已经截止，谢谢您！',
  neverThanks: '好的，以后不再请您评价',
  rated: '您的评价',
  scores: '很不满意|不满意|一般|满意|非常满意',
  you: '我',
  unread: '{n} 条未读消息',
  tooFast: '发送太频繁了，请稍等片刻再试。',
  notNow: '暂时发送不了，请稍后再试。',
  tooLong: '消息太长，每条最多 4000 字，请分几条发送。',
  notTaken: '这条消息没能发送，请修改后重新发送。',
};

const en: typeof zh = {
  title: 'Customer care',
  open: 'Open the chat',
  close: 'Close the chat',
  menu: 'More',
  person: 'Talk to a person',
  personMessage: 'I would like to talk to a person',
  elsewhere: 'Continue elsewhere',
  elsewhereMessage: 'Continue elsewhere',
  bot: 'Assistant',
  agent: 'Agent',
  statusBot: 'Assistant, answers right away',
  statusQueued: 'Waiting for a person',
  statusQueuedAt: 'In the queue, {n} ahead of you',
  statusQueuedNext: 'In the queue, you are next',
  waitMinutes: ', about {n} min',
  waitHours: ', about {n} h',
  statusClosed: 'We’ll reply as soon as we’re back',
  statusAssigned: 'A person is with you',
  statusResolved: 'Closed. Write to start again',
  statusMerged: 'Joined with your other conversation',
  connecting: 'Connecting…',
  offline: 'No connection, reconnecting…',
  offlineKept: 'Your messages are kept and sent as soon as we are back.',
  greeting: 'Hello! Ask me about orders, delivery, returns, invoices or how a product works.',
  greetingMore: 'Say “talk to a person” and someone from the team takes over.',
  placeholder: 'Write a message…',
  send: 'Send',
  attach: 'Add a picture or file',
  remove: 'Remove',
  dropHere: 'Drop to add the file',
  conversation: 'Conversation',
  typing: 'Typing',
  waiting: 'Waiting to be sent',
  sending: 'Sending',
  sent: 'Delivered',
  read: 'Read',
  recalled: 'The agent took back a message',
  failed: 'Not sent. Tap to try again',
  discard: 'Delete',
  newMessages: 'New messages',
  toLatest: 'Go to the latest message',
  today: 'Today',
  yesterday: 'Yesterday',
  source: 'Source',
  uploading: 'Uploading',
  uploadFailed: 'Upload failed. Tap to try again',
  tooLarge: 'The file is larger than 10 MB; please choose a smaller one.',
  fileEmpty: 'The file is empty; please choose another one.',
  fileType: 'We cannot take files of this type.',
  pictureDamaged: 'The picture cannot be opened; please save it again and send that.',
  pictureLarge: 'The picture is too large; please make it smaller.',
  tooMany: 'You can send up to 5 files at once.',
  detailsTitle: 'How can we reach you once we are back?',
  detailsPoint: 'Phone number or e-mail',
  detailsPointHint: 'For example: +44 7700 900000',
  detailsTime: 'Best time (optional)',
  detailsTimeHint: 'For example: after 2 pm',
  detailsTimeIs: 'Best time: {n}',
  detailsWrong: 'That phone number or e-mail address looks incomplete. Please check it.',
  detailsSend: 'Send',
  detailsNo: 'No need, I’ll wait for the reply here',
  rateTitle: 'How did we do?',
  rateComment: 'Anything you would like to add? (optional)',
  rateSend: 'Send rating',
  rateAgent: 'How was {n}?',
  rateBot: 'How was the assistant?',
  rateAlso: 'And how was {n} before that? (optional)',
  rateAlsoBot: 'And how was the assistant before that? (optional)',
  rateWasSolved: 'Was your problem solved?',
  rateYes: 'Yes',
  rateNo: 'No',
  rateSolved: 'Solved',
  rateNotSolved: 'Not solved',
  rateNps: 'How likely are you to recommend us?',
  npsLow: 'Not at all',
  npsHigh: 'Very likely',
  rateNever: 'Don’t ask me again',
  rateChange: 'Change',
  rateClosed: 'The time to rate this is over. Thank you!',
  neverThanks: 'All right, we won’t ask again',
  rated: 'Your rating',
  scores: 'Very poor|Poor|Okay|Good|Excellent',
  you: 'You',
  unread: '{n} unread messages',
  tooFast: 'That was a lot at once. Please wait a moment and try again.',
  notNow: 'This cannot be sent right now. Please try again later.',
  tooLong: 'The message is too long. Please send it in parts of at most 4,000 characters.',
  notTaken: 'This message could not be sent. Please change it and send it again.',
};

export type Text = keyof typeof zh;

/** What the server's refusals of a file are called here. */
export const REFUSED: Partial<Record<string, Text>> = {
  file_empty: 'fileEmpty',
  file_too_large: 'tooLarge',
  too_large: 'tooLarge',
  file_type: 'fileType',
  picture_damaged: 'pictureDamaged',
  picture_too_large: 'pictureLarge',
  too_fast: 'tooFast',
};

/** Why a message was not taken; what the desk says of it is meant for whoever builds a client. */
export function reasonOf(code: string, text: string): Text {
  if (code === 'too_fast') return 'tooFast';
  if (code === 'unavailable') return 'notNow';
  return [...text].length > MAX_TEXT ? 'tooLong' : 'notTaken';
}

export class Words {
  constructor(public language: Language) {}

  say(name: Text, n?: number | string): string {
    const text = (this.language === 'zh' ? zh : en)[name];
    return n === undefined ? text : text.replace('{n}', String(n));
  }

  time(moment: Date): string {
    return moment.toLocaleTimeString(this.locale, { hour: '2-digit', minute: '2-digit', hour12: false });
  }

  day(moment: Date, now: Date = new Date()): string {
    const days = Math.round((startOfDay(now) - startOfDay(moment)) / 86_400_000);
    if (days === 0) return this.say('today');
    if (days === 1) return this.say('yesterday');
    const year = moment.getFullYear() === now.getFullYear() ? {} : ({ year: 'numeric' } as const);
    return moment.toLocaleDateString(this.locale, { ...year, month: 'long', day: 'numeric', weekday: 'short' });
  }

  size(bytes: number): string {
    return bytes < 1_048_576 ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / 1_048_576).toFixed(1)} MB`;
  }

  get locale(): string {
    return this.language === 'zh' ? 'zh-CN' : 'en-GB';
  }
}

export function languageOf(tag: string | null | undefined): Language | null {
  if (!tag) return null;
  return tag.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

function startOfDay(moment: Date): number {
  return new Date(moment.getFullYear(), moment.getMonth(), moment.getDate()).getTime();
}
