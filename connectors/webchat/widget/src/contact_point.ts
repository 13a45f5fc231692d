// A phone number or e-mail address in its normal form, as the service reads it; the service has the last word.

/** The address that a text is or contains, or null. */
export function normalContactPoint(text: string): string | null {
  const whole = normalEmail(text) ?? normalPhone(text);
  if (whole !== null) return whole;
  const flat = text.normalize('NFKC');
  const email = /[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,200}\.[A-Za-z]{2,24}/.exec(flat);
  if (email) return normalEmail(email[0]);
  const phone = /(?:^|\D)((?:\+|00)?\d[\d\s\-().]{8,20}\d)/.exec(flat);
  return phone?.[1] === undefined ? null : normalPhone(phone[1]);
}

function normalPhone(text: string): string | null {
  const flat = text
    .normalize('NFKC')
    .replace(/[\s\-–—().]/g, '')
    .replace(/^(?:\+|00)86(?=1\d{10}$)/, '')
    .replace(/^00/, '+');
  return /^(?:1[3-9]\d{9}|\+[1-9]\d{7,14})$/.test(flat) ? flat : null;
}

function normalEmail(text: string): string | null {
  const flat = text.normalize('NFKC').trim().toLowerCase();
  const good = flat.length <= 254 && /^[a-z0-9._%+-]{1,64}@(?:[a-z0-9-]+\.)+[a-z]{2,24}$/.test(flat);
  return good ? flat : null;
}
