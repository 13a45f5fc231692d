// 脱敏内容的文案，键与 `masked.en.ts` 完全一致。
import type { masked as Masked } from './masked.en'

export const masked: typeof Masked = {
  hint: '按角色隐藏', show: '查看原文', hide: '重新隐藏', showHint: '显示原文，查看行为会写入审计记录', shownHint: '正在显示原文，本次查看已写入审计记录',
}
