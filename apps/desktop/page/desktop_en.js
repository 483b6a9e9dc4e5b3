// The texts in English. The keys are those of desktop_ja.js, in the same order; a key of texts_en.js speaks here of this
// program, not of a browser.

/** @type {Record<keyof typeof import('./desktop_ja.js').JA, string>} */
export const EN = {
  'failed-title': 'It could not be made ready',
  'trouble-other-codes': 'This token service asks for another kind of code. Please use a newer version of this program.',
  'trouble-void': 'Token {id} was registered, but this computer could not keep it. This token ID is void: do not register it with your bank.',
  'trouble-storage': 'Something unexpected happened. Please quit the program and open it again.',
  gone: 'This token was removed or replaced by another program.',

  'desktop-service': 'Address of the token service',
  'desktop-other-address': 'Change the address',
  'desktop-address-title': 'Address of the token service',
  'desktop-address-text': 'Enter the address that your bank gave you. If it gave you none, there is nothing to change.',
  'desktop-use': 'Use this address',

  'desktop-choose-title': 'Please choose a passphrase',
  'desktop-choose-why': 'This computer has no system key store that can be used. The key is sealed under a passphrase instead, which you are asked for each time you open the token.',
  'desktop-choose-forget': 'A forgotten passphrase cannot be looked up. Without it this token cannot be used any more, and you have to see to it at your bank.',
  'desktop-choose-field': 'New passphrase (8 characters or more; the longer the safer)',
  'desktop-choose-again': 'The passphrase once more',
  'desktop-choose-go': 'Choose it and register',
  'desktop-passphrase-title': 'Please enter your passphrase',
  'desktop-passphrase': 'Passphrase',
  'desktop-open': 'Open',
  'desktop-forgotten': 'I forgot the passphrase',

  'desktop-over-title': 'This token cannot be opened',
  'desktop-over-forgotten': 'Without its passphrase this token never shows a code again. If you cannot remember it, remove the token and make a new one.',
  'desktop-over-key-gone': 'The key of this token is no longer in the system\'s key store. It cannot be brought back.',
  'desktop-over-damaged': 'The file that holds the token is damaged. If no backup brings it back, make a new token.',
  'desktop-over-new': 'Remove it and make a new one',

  'desktop-keys-store': 'in the system\'s key store ({store})',
  'desktop-keys-passphrase': 'sealed under a passphrase',
  'desktop-starts': 'Start with the computer (in the tray, with no window)',
  'desktop-starts-yes': 'It starts by itself from the next time on.',
  'desktop-starts-no': 'It does not start by itself.',
  'desktop-no-browser': 'The browser could not be opened.',

  'desktop-trouble-passphrases-differ': 'The two passphrases differ. Please enter them again.',
  'desktop-trouble-passphrase-short': 'A passphrase has at least 8 characters.',
  'desktop-trouble-wrong-passphrase': 'The passphrase is wrong. Please enter it again.',
  'desktop-trouble-address-malformed': 'An address looks like https://token.example.com.',
  'desktop-trouble-address-not-https': 'http:// is only for this computer itself. Please enter an address that begins with https://.',
  'desktop-trouble-already-here': 'There is a token already. Please quit the program and open it again.',
  'desktop-trouble-key-store': 'The system\'s key store cannot be used. If it is locked, unlock it and try again. ({said})',
  'desktop-trouble-disk': 'The token\'s file cannot be read or written. ({said})',
  'desktop-trouble-newer': 'This token was made by a newer version of the program. Please use that one.',
  'desktop-trouble-clock': 'The clock of this computer stands before 1970, so there is no code. Please set the clock.',
  'desktop-trouble-clipboard': 'The clipboard cannot be used. ({said})',
  'desktop-trouble-passphrase-needed': 'A passphrase is needed. Please try again.',
  'desktop-trouble-other': 'Something unexpected happened. Please try again.',
};
