import { describe, expect, it } from 'vitest';

import { REFUSED, Words } from '../src/i18n';

describe('a file that is refused', () => {
  it('is refused in the visitor\'s language, whatever the reason', () => {
    for (const code of ['file_empty', 'file_too_large', 'file_type', 'picture_damaged', 'picture_too_large', 'too_fast']) {
      const known = REFUSED[code];
      if (!known) throw new Error(`the chat has no words for ${code}`);
      expect(new Words('zh').say(known)).toMatch(/[\u4e00-\u9fff]/);
      expect(new Words('en').say(known)).not.toMatch(/[\u4e00-\u9fff]/);
    }
  });
});
