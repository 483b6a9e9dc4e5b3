# What the Warifu token (command line) says. The same keys as in ja/token.ftl, in the same order.

# First start (T1)
welcome-title = Welcome to Warifu 割符, your software token
welcome-done = This token is now registered with the token service. Its token ID stays the same after a restart:
welcome-next = Enter this token ID and the 6-digit security code on your bank's page "Register a one-time password".
welcome-ok = [ OK ] press Enter to go on
waiting-for-lock = Another warifu-token is just registering. Waiting for it.
key-store-fallback = The system's key store cannot be used here. A passphrase will protect the token instead.
hint-show = To see the code: warifu-token show

# The token on the screen (T2)
id-line = Token ID: { $id }
code-line = Security code: { $code }
seconds-line = Good for: { $seconds } s
next-line = Next code: { $code }
view-title = Warifu 割符 software token
view-id = Token ID
view-code = Security code
view-seconds = { $seconds } s
view-next = Next code  { $code }
view-keys = c copy code   i copy ID   q quit
link-asking = Asking the service for the time…
link-online = The time is checked with the service.
link-offline = Offline (last checked { $ago }). The codes work all the same.
advice = For safety keep the token on a smartphone and do your banking on a PC: two devices, not one.

# Clock (T6)
clock-slow = This device's clock is { $seconds } s slow. The codes shown are corrected and right; please set the clock.
clock-fast = This device's clock is { $seconds } s fast. The codes shown are corrected and right; please set the clock.
clock-set-back = This device's clock was set back since the service was last asked. Set the clock, or go online and run warifu-token doctor; until then the codes may be wrong.
age-now = just now
age-minutes = { $count } min ago
age-hours = { $count } h ago
age-days = { $count ->
        [one] { $count } day ago
       *[other] { $count } days ago
    }

# Copying
copied-code = Security code copied. It is wiped from the clipboard after 30 s.
copied-id = Token ID copied. It is wiped from the clipboard after 30 s.
copied-wiped = Wiped from the clipboard.

# Passphrase
passphrase-prompt = Passphrase:
passphrase-new-prompt = New passphrase (8 characters or more):
passphrase-again-prompt = Once more:

# Doctor
doctor-version = Version: { $version }
doctor-vault = Vault: { $path }
doctor-permissions = Permissions: { $mode } (you alone)
doctor-permissions-loose = To be mended: permissions { $mode } let others read the vault. Run chmod 600 on it.
doctor-key-os = Key: in the system's key store ({ $store })
doctor-key-passphrase = Key: under a passphrase (Argon2id, { $mebibytes } MiB, { $passes } passes, { $lanes } lanes)
doctor-contact = Last contact: { $ago } ({ $at })
doctor-offset = Stored clock offset (service less device): { $seconds } s
doctor-service = Service: { $address } answers, round trip { $milliseconds } ms
doctor-service-away = Service: { $address }: { $reason } Codes work offline too.
doctor-clock-right = Clock: right
doctor-fault = To be mended: { $what }

# Removing (T8)
remove-advice = Once removed, this token never shows a code again. If it is registered at a bank, first go to the bank's page "Change of token" (トークンの変更) or "Stop the one-time password" (利用停止). A new installation gets another token ID.
remove-question = Remove it? Type yes to do so:
remove-not-confirmed = Nothing was removed.
remove-key-left = The entry { $entry } in the system's key store could not be deleted. { $reason } If it stays it opens nothing any more.
remove-done = The token is removed.

# Errors
error-no-address = This is the first start: give the address of the token service, for example: warifu-token https://token.example.com
error-address-malformed = That is no address of a service. It looks like https://token.example.com
error-address-not-https = http:// is only for this machine itself (localhost). Use https://
error-other-service = This token is registered with { $registered }. It is not moved to { $given }; nothing was changed. For another service give another file with --vault, or run warifu-token remove first.
error-no-home = There is no folder for the vault. Name a file with --vault.
error-already-here = There is a token here already.
error-unreachable = The token service cannot be reached ({ $reason }).
error-refused = The token service says: { $reason }
error-status = The token service answered with HTTP status { $status }, which means nothing here. Check the address.
error-not-understood = What answered does not seem to be a token service. Check the address.
error-weak-service-key = The token service sent an unsafe key. The registration was given up.
error-other-codes = This token service asks for codes that this program does not make. Use a newer warifu-token.
error-void = Token { $id } was registered but could not be stored. This ID is void: do not register it at a bank. Cause: { $reason }
error-no-entropy = The system gave no random bytes. Nothing was registered.
error-vault-io = { $path }: { $reason }
error-vault-missing = There is no token here yet.
error-vault-damaged = The vault is damaged or was changed. Put a backup of the file back; without one, run warifu-token remove and register a new token (at the bank this is a lost token).
error-vault-future = The vault was written by a newer warifu-token (format { $version }). Use the newer program.
error-wrong-passphrase = The passphrase is wrong.
error-passphrase-needed = A passphrase is needed to protect the vault. Run this in a terminal, or give --passphrase-file.
error-passphrase-short = A passphrase needs { $characters } characters or more.
error-passphrases-differ = The two passphrases differ.
error-passphrase-file = The passphrase file cannot be read: { $reason }
error-key-store-unavailable = There is no system key store here ({ $reason }).
error-key-store-refused = The system's key store refused ({ $reason }).
error-key-store-gone = The system's key store does not hold this vault's key any more.
error-key-store-garbled = The system's key store did not give the right key back.
error-clock-before-1970 = This device's clock stands before 1970. Set the clock.
error-clipboard = The clipboard cannot be used: { $reason }
error-removed-meanwhile = This token was removed or replaced meanwhile.
error-terminal = Input or output failed: { $reason }

# Help
help-about = Software token for internet banking (one-time passwords)
help-after = Give SERVICE_URL at the first start: it registers the token. Later starts need neither address nor network.
help-service-url = Address of the token service (first start only)
help-key-store = Where a new vault's key goes: os (the system's key store) or passphrase. Default: os, or passphrase where there is none or a passphrase file is given
help-vault = The vault file
help-passphrase-file = A file that holds the passphrase
help-lang = Language
help-help = Print help
help-version = Print version
help-show-about = Show the token ID and code once
help-show-json = Print JSON
help-copy-about = Copy the code (or the ID) to the clipboard; wiped after 30 s
help-copy-what = What to copy
help-doctor-about = Check vault, key, clock and service
help-remove-about = Remove the token
help-remove-yes = Do not ask
