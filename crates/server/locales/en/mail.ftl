# Mails to customers (B12, B14, B18). The keys of ja/mail.ftl in the same order. No link, no account number, no payee.

# The frame of all
mail-subject = [{ $bank }] { $subject }
mail-opening = Thank you for banking with { $bank }.
mail-at = Date and time: { $at } (Japan time)
mail-receipt = Receipt number: { $receipt }
mail-stop = If you do not know of this
    Please act at once, in one of these ways. The first is open to you at any hour.
    1. Open the login page from your own bookmark, follow “トークンの紛失・盗難” (token lost or stolen) at its foot, and stop your token.
    2. Call us: { $phone } ({ $hours })
mail-no-links = Please note
    Mails of this bank never hold links.
    A mail with a link is not ours: please delete it without opening the link.
    We never ask for a password or a one-time password, neither by mail nor by phone.
    This mail was sent automatically, and nobody reads answers to it.
mail-signature = { $bank }
    Phone { $phone } ({ $hours })

# Registration (B2)
registered-subject = One-time passwords are registered
registered-body = Your token is now registered for one-time passwords.
    For your safety, transfers of one day are held to { $cap } yen in all until { $until }.

# Stop of use (B5)
use-stopped-subject = Use of one-time passwords is stopped
use-stopped-body = The use of one-time passwords is stopped.
    From now on you log in with your contract ID and login password.
    Transfers and changes of the transfer limit are closed until you register a token again.

# Change of token (B6)
token-changed-subject = Your token was changed
token-changed-body = Your token was changed. The former token can no longer be used.
    For your safety, transfers of one day are held to { $cap } yen in all until { $until }.

# Lost or stolen (B7, F4)
loss-stopped-subject = Your token was stopped
loss-stopped-body = { $by ->
        [bank] The bank stopped your token.
       *[customer] Your token was stopped on the page for lost or stolen tokens.
    }
    Transfers are closed. Reserved transfers were cancelled.
    To use the service again, the bank must release your contract and you must register a new token. Please call us.

# Release after a loss (F5)
released-subject = You can register a token again
released-body = Your contract was released after the stop of your token.
    Please register a new token for one-time passwords. Transfers are open to you after that.

# Login setting (B4)
login-setting-changed-subject = The login setting was changed
login-setting-changed-body = { $asks ->
        [yes] Login now asks for a one-time password.
       *[no] Login no longer asks for a one-time password.
    }
    { $asks ->
        [yes] You will be asked for it at your next login.
       *[no] From your next login your contract ID and login password are enough. Transfers still need a one-time password.
    }

# Transfer (B8)
transfer-sent-subject = A transfer was made
transfer-sent-body = Your transfer was made.
    Amount: { $amount } yen

# Dated transfers (B12)
transfer-reserved-subject = A transfer was reserved
transfer-reserved-body = Your transfer was reserved.
    Amount: { $amount } yen
    Day of transfer: { $date }
    Until the day before, you can cancel it on the page of reserved transfers.
transfer-cancelled-subject = A reserved transfer was cancelled
transfer-cancelled-body = A reserved transfer was cancelled. It will not be made.
transfer-not-sent-subject = A reserved transfer could not be made
transfer-not-sent-body = Your reserved transfer could not be made. No money was taken from your account.
    Reason: { $reason ->
        [short-of-funds] the balance of the account was too low
        [over-limit] the transfer limit of the day would have been passed
        [no-such-payee] the payee’s account was not found
       *[stopped] the contract or its token is stopped
    }
    If you still wish to make the transfer, please enter it again.

# Internal transfer
internal-transfer-done-subject = A transfer between your accounts was made
internal-transfer-done-body = The transfer between your own accounts was made.
    Amount: { $amount } yen

# Transfer limit (B9)
limit-changed-subject = The transfer limit was changed
limit-changed-body = The change of your transfer limit was accepted.
    New limit for one day: { $to } yen
    In force from: { $date }

# Customer details (B13)
password-changed-subject = The login password was changed
password-changed-body = Your login password was changed. The former password can no longer be used.
password-reissued-subject = The login password was issued anew
password-reissued-body = Your login password was issued anew. The former password can no longer be used.
    You receive the new one in a letter. Please change it at your first login.
mail-address-changed-subject = The mail address was changed
mail-address-changed-body = The mail address that we have of you was changed.
    This notice goes to the former address and to the new one.

# Lock of the token (S5, F5)
token-locked-subject = Your one-time passwords are locked
token-locked-body = Your token was locked, because wrong one-time passwords were entered several times in a row.
    What needs a one-time password is closed to you. Please call us to have it unlocked.
token-unlocked-subject = Your one-time passwords are unlocked
token-unlocked-body = Your token was unlocked. What needs a one-time password is open to you again.

# Emergency stop (B13, F5)
emergency-stopped-subject = Internet banking was stopped
emergency-stopped-body = All of your internet banking was stopped, as you asked on the page of the emergency stop.
    Reserved transfers were cancelled too. To use the service again, please call us.
emergency-lifted-subject = The stop of internet banking was lifted
emergency-lifted-body = The emergency stop was lifted. Internet banking is open to you again.

# Correction (F5)
reversed-subject = A booking was corrected
reversed-body = The bank corrected a booking on your account. Please see your statement for details.
