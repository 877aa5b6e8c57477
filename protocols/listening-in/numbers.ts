/** A caller's number or address as a person who watches may see it. */

const SHOWN_DIGITS = 2;

/** `sip:+15005550006@pbx` → `sip:••••••••••06@pbx`; of a name the first letter is left. */
export function maskedNumber(text: string): string {
  const [, scheme, user, rest] = /^((?:sips?|tel):)?([^@;>]*)(.*)$/i.exec(text)!;
  return `${scheme ?? ''}${masked(user)}${rest}`;
}

function masked(user: string): string {
  const digits = user.replace(/\D/g, '').length;
  if (digits < 4) return user.slice(0, 1) + '•'.repeat(Math.min(8, Math.max(0, user.length - 1)));
  let left = digits - SHOWN_DIGITS;
  return user.replace(/\d/g, digit => (left-- > 0 ? '•' : digit));
}
