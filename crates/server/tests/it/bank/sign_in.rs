//! B3, B4, B15, B17, F2: from ID and password to a session, and how a session ends.

use jiff::SignedDuration;
use warifu::bank::{
    Caller, Confirmed, Given, NewPassword, NoSession, Replacement, SignIn, Visitor,
};
use warifu::bank_store::contract;
use warifu_bank::contract::ContractId;
use warifu_bank::operation::{Order, OrderKind, Refusal};
use warifu_bank::otp_policy::CodeRefusal;
use warifu_bank::password::{PasswordRefusal, Typed};
use warifu_bank::session::{BrowserSecret, Ending, Expired, SessionSecret, Stage, Wizard};
use zeroize::Zeroizing;

use crate::harness::{BankSite, Engine, Token};

both_engines!(
    once_a_token_is_registered_login_asks_for_its_code,
    with_the_setting_off_login_needs_id_and_password_alone,
    a_new_login_ends_the_old_session_and_says_so,
    the_same_login_form_sent_twice_gives_the_same_session,
    a_login_form_that_is_sent_again_later_needs_its_own_code,
    a_due_first_password_opens_no_wizard_but_that_of_a_loss,
    a_session_ends_ten_minutes_after_its_last_use_and_twelve_hours_after_its_login,
    a_session_that_was_signed_out_is_good_for_nothing,
    a_change_of_password_ends_the_other_sessions,
    a_first_password_must_be_changed_before_anything_else,
    of_thirty_two_wrong_passwords_at_once_exactly_five_are_looked_at,
    the_old_password_is_tried_no_faster_inside_a_session_than_at_the_door,
    a_password_that_was_long_enough_beside_a_code_is_not_once_login_asks_for_none,
    a_hash_of_older_parameters_is_made_anew_at_the_next_login,
);

pub(crate) const PASSWORD: &str = "correct horse battery";
const ADDRESS: &str = "192.0.2.7";

pub(crate) fn caller() -> Caller {
    Caller {
        address: ADDRESS.into(),
        agent: "test".into(),
        browser: BrowserSecret::from_random(Zeroizing::new([7; 32])).key(),
    }
}

impl BankSite {
    /// A contract whose password is [`PASSWORD`]; `due_in`: a first password, that holds so long.
    pub(crate) async fn with_password(
        &self,
        id: &str,
        number: u32,
        due_in: Option<SignedDuration>,
    ) -> ContractId {
        let contract = self.contract(id, number, 0);
        self.give_password(contract, due_in).await;
        contract
    }

    /// [`PASSWORD`] for a contract.
    pub(crate) async fn give_password(&self, contract: ContractId, due_in: Option<SignedDuration>) {
        let hash = self.bank().hash_password(PASSWORD).await.unwrap();
        let now = self.now();
        let due_until = due_in.map(|due_in| now.checked_add(due_in).unwrap());
        let length = i64::try_from(PASSWORD.len()).unwrap();
        let set = self.place.with(|connection| {
            connection.transaction(|tx| {
                contract::set_password(tx, contract, &hash, length, due_until, now)
            })
        });
        set.unwrap();
    }

    async fn enters(&self, id: ContractId, password: &str) -> SignIn {
        let (bank, id) = (self.bank(), id.to_string());
        bank.sign_in(&id, password, None, &caller()).await.unwrap()
    }

    /// Signs in with the right password; the session, and how far it reaches.
    async fn begins(&self, id: ContractId) -> (SessionSecret, Stage) {
        match self.enters(id, PASSWORD).await {
            SignIn::Begun(secret, stage) => (secret, stage),
            other => panic!("{other:?}"),
        }
    }

    /// A new password in the place of the old one, which is taken.
    async fn replaces(&self, visitor: &Visitor, old: &str, new: &str) -> NewPassword {
        let again = new;
        let typed = Typed { old, new, again };
        match self.bank().replace_password(visitor, typed).await.unwrap() {
            Replacement::Ready(new) => new,
            _ => panic!("a good password is taken"),
        }
    }

    async fn knows(&self, secret: &SessionSecret) -> Result<Visitor, NoSession> {
        self.bank().visitor(secret, ADDRESS).await.unwrap()
    }

    /// Gives the code that a token shows at the page of this half session.
    async fn gives_code(
        &self,
        half: &SessionSecret,
        token: &Token,
    ) -> (Confirmed, Option<SessionSecret>) {
        let visitor = self.knows(half).await.unwrap();
        let key = self.bank().show_sign_in(&visitor).await.unwrap().unwrap();
        let code = Some(Zeroizing::new(self.code(token).to_string()));
        let bank = self.bank();
        bank.confirm_sign_in(&visitor, half, key, code, caller().browser)
            .await
            .unwrap()
    }
}

async fn once_a_token_is_registered_login_asks_for_its_code(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.with_password("12345678901", 1, None).await;
    assert_eq!(site.begins(contract).await.1, Stage::Full);
    let token = site.registered(contract).await;
    let (half, stage) = site.begins(contract).await;
    assert_eq!(stage, Stage::AwaitingCode);
    let (confirmed, full) = site.gives_code(&half, &token).await;
    assert!(matches!(confirmed, Confirmed::Done(..)), "{confirmed:?}");
    let visitor = site.knows(&full.unwrap()).await.unwrap();
    assert_eq!(visitor.session.stage, Stage::Full);
    assert_eq!(visitor.session.contract, contract);
    // The code was spent: the next login needs the next one (B10).
    let (half, _) = site.begins(contract).await;
    let (confirmed, full) = site.gives_code(&half, &token).await;
    assert!(
        matches!(confirmed, Confirmed::Code(CodeRefusal::Used { .. })),
        "{confirmed:?}"
    );
    assert!(full.is_none());
}

async fn with_the_setting_off_login_needs_id_and_password_alone(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.with_password("12345678901", 1, None).await;
    let token = site.registered(contract).await;
    let visitor = site.visitor(contract, Stage::Full);
    let order = Order::LoginSetting { asks: false };
    let key = site.show(&visitor, &order).await;
    // The setting itself is changed with a code only.
    let without = site
        .confirm(&visitor, OrderKind::LoginSetting, key, None)
        .await;
    assert_eq!(without, Confirmed::Code(CodeRefusal::NotACode));
    assert_eq!(site.begins(contract).await.1, Stage::AwaitingCode);
    let code = Some(site.code(&token));
    let done = site
        .confirm(&visitor, OrderKind::LoginSetting, key, code)
        .await;
    assert!(matches!(done, Confirmed::Done(..)), "{done:?}");
    assert_eq!(site.begins(contract).await.1, Stage::Full);
}

async fn a_new_login_ends_the_old_session_and_says_so(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.with_password("12345678901", 1, None).await;
    let stranger = site.with_password("12345678902", 2, None).await;
    let (first, _) = site.begins(contract).await;
    let (other, _) = site.begins(stranger).await;
    let (second, _) = site.begins(contract).await;
    let replaced = Err(NoSession::Ended(Ending::Replaced));
    assert_eq!(site.knows(&first).await.map(drop), replaced);
    assert!(site.knows(&second).await.is_ok());
    assert!(site.knows(&other).await.is_ok(), "another contract's stays");
}

async fn the_same_login_form_sent_twice_gives_the_same_session(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.with_password("12345678901", 1, None).await;
    let token = site.registered(contract).await;
    let (half, _) = site.begins(contract).await;
    let visitor = site.knows(&half).await.unwrap();
    let key = site.bank().show_sign_in(&visitor).await.unwrap().unwrap();
    let code = site.code(&token).to_string();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (bank, visitor, half) = (site.bank(), visitor.clone(), half.clone());
            let code = Some(Zeroizing::new(code.clone()));
            tokio::spawn(async move {
                let browser = caller().browser;
                bank.confirm_sign_in(&visitor, &half, key, code, browser)
                    .await
            })
        })
        .collect();
    let mut keys = Vec::new();
    for task in tasks {
        let (confirmed, full) = task.await.unwrap().unwrap();
        assert!(matches!(confirmed, Confirmed::Done(..)), "{confirmed:?}");
        keys.push(full.unwrap().key());
    }
    assert!(keys.iter().all(|key| *key == keys[0]));
    assert_eq!(site.session(keys[0]).ending, None);
    let full = "SELECT COUNT(*) FROM sessions WHERE stage = 'full'";
    assert_eq!(site.place.count(full), 1);
    // It is another secret than the one that the browser had before the code.
    assert_ne!(keys[0], half.key());
}

async fn a_session_ends_ten_minutes_after_its_last_use_and_twelve_hours_after_its_login(
    engine: Engine,
) {
    let site = BankSite::new(engine).await;
    let contract = site.with_password("12345678901", 1, None).await;
    let (idle, _) = site.begins(contract).await;
    site.service.clock.advance(599);
    assert!(site.knows(&idle).await.is_ok());
    site.service.clock.advance(600);
    let expired = Err(NoSession::Expired(Expired::Idle));
    assert_eq!(site.knows(&idle).await.map(drop), expired);
    let (busy, _) = site.begins(contract).await;
    for _ in 0..79 {
        site.service.clock.advance(540);
        assert!(site.knows(&busy).await.is_ok());
    }
    site.service.clock.advance(540);
    let expired = Err(NoSession::Expired(Expired::TooLong));
    assert_eq!(site.knows(&busy).await.map(drop), expired);
}

async fn a_session_that_was_signed_out_is_good_for_nothing(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.with_password("12345678901", 1, None).await;
    let (secret, _) = site.begins(contract).await;
    let visitor = site.knows(&secret).await.unwrap();
    site.bank().sign_out(&visitor).await.unwrap();
    let ended = Err(NoSession::Ended(Ending::LoggedOut));
    assert_eq!(site.knows(&secret).await.map(drop), ended);
}

async fn a_change_of_password_ends_the_other_sessions(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.with_password("12345678901", 1, None).await;
    let here = site.visitor(contract, Stage::Full);
    let elsewhere = [
        site.visitor(contract, Stage::AwaitingCode),
        site.visitor(contract, Stage::AwaitingNewPassword),
        site.visitor(contract, Stage::Wizard(Wizard::Registration)),
    ];
    let bank = site.bank();
    let new = "another long password";
    let given = Given {
        password: Some(site.replaces(&here, PASSWORD, new).await),
        ..Given::default()
    };
    let key = site.show(&here, &Order::PasswordChange).await;
    let kind = OrderKind::PasswordChange;
    let done = bank.confirm(&here, kind, key, given).await.unwrap();
    assert!(matches!(done, Confirmed::Done(..)), "{done:?}");
    assert_eq!(site.session(here.key()).ending, None);
    for other in elsewhere {
        let ending = site.session(other.key()).ending;
        let stage = other.session.stage;
        assert_eq!(ending, Some(Ending::EndedByBank), "{stage:?}");
    }
    assert!(matches!(
        site.enters(contract, PASSWORD).await,
        SignIn::Wrong
    ));
    assert!(matches!(
        site.enters(contract, new).await,
        SignIn::Begun(_, Stage::Full)
    ));
}

async fn a_first_password_must_be_changed_before_anything_else(engine: Engine) {
    let site = BankSite::new(engine).await;
    let day = Some(SignedDuration::from_hours(24));
    let contract = site.with_password("12345678901", 1, day).await;
    let elsewhere = site.visitor(contract, Stage::Wizard(Wizard::Registration));
    let (secret, stage) = site.begins(contract).await;
    assert_eq!(stage, Stage::AwaitingNewPassword);
    let visitor = site.knows(&secret).await.unwrap();
    let bank = site.bank();
    let new = site
        .replaces(&visitor, PASSWORD, "another long password")
        .await;
    let set = bank
        .set_first_password(&visitor, new.clone(), &caller())
        .await;
    let SignIn::Begun(full, Stage::Full) = set.unwrap() else {
        panic!("there is no token yet")
    };
    assert!(site.knows(&full).await.is_ok());
    assert!(
        site.knows(&secret).await.is_err(),
        "the half session is over"
    );
    assert!(site.session(elsewhere.key()).ending.is_some());
    // The same form sent again changes nothing.
    let again = bank.set_first_password(&visitor, new, &caller()).await;
    assert!(matches!(again.unwrap(), SignIn::Wrong));
    assert!(matches!(
        site.enters(contract, PASSWORD).await,
        SignIn::Wrong
    ));
    // One that was not used in its time is worth nothing (F2).
    let late = site.with_password("12345678902", 2, day).await;
    site.service.clock.advance(24 * 60 * 60);
    assert!(matches!(site.enters(late, PASSWORD).await, SignIn::Wrong));
}

async fn of_thirty_two_wrong_passwords_at_once_exactly_five_are_looked_at(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.with_password("12345678901", 1, None).await;
    let tasks: Vec<_> = (0..32)
        .map(|number| {
            let (bank, id) = (site.bank(), contract.to_string());
            tokio::spawn(async move {
                let password = format!("wrong password {number}");
                bank.sign_in(&id, &password, None, &caller()).await.unwrap()
            })
        })
        .collect();
    let (mut looked_at, mut waits) = (0, 0);
    for task in tasks {
        match task.await.unwrap() {
            SignIn::Wrong => looked_at += 1,
            SignIn::Wait(seconds) => {
                assert!((1..=30).contains(&seconds), "{seconds}");
                waits += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((looked_at, waits), (5, 27));
    let noted = "SELECT COUNT(*) FROM sign_ins";
    assert_eq!(site.place.count(noted), 5);
    // The right one waits as well, and is taken when the time has come.
    assert!(matches!(
        site.enters(contract, PASSWORD).await,
        SignIn::Wait(_)
    ));
    site.next_code();
    assert_eq!(site.begins(contract).await.1, Stage::Full);
}

async fn a_login_form_that_is_sent_again_later_needs_its_own_code(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 0);
    let token = site.registered(contract).await;
    let secret = SessionSecret::from_random(Zeroizing::new([7; 32]));
    let half = site.visitor_with(contract, Stage::AwaitingCode, &secret);
    let bank = site.bank();
    let key = bank.show_sign_in(&half).await.unwrap().unwrap();
    let sent = |code: String| {
        let (bank, secret, half) = (site.bank(), secret.clone(), half.clone());
        async move {
            let code = Some(Zeroizing::new(code));
            bank.confirm_sign_in(&half, &secret, key, code, caller().browser)
                .await
                .unwrap()
        }
    };
    let code = site.code(&token).to_string();
    let (done, first) = sent(code.clone()).await;
    assert!(matches!(done, Confirmed::Done(..)), "{done:?}");
    // The half session has ended, and the form's second copy still finds its way.
    assert!(bank.visitor(&secret, ADDRESS).await.unwrap().is_err());
    assert!(bank.just_passed(&secret, ADDRESS).await.unwrap().is_some());
    let (_, again) = sent(code).await;
    assert_eq!(again.unwrap().key(), first.unwrap().key());
    for other in [
        token.wrong_code(site.service.step()).to_string(),
        "x".into(),
    ] {
        let (refused, none) = sent(other).await;
        assert_eq!((refused, none.is_none()), (Confirmed::Gone, true));
    }
}

async fn a_due_first_password_opens_no_wizard_but_that_of_a_loss(engine: Engine) {
    let site = BankSite::new(engine).await;
    let month = SignedDuration::from_hours(24 * 30);
    let contract = site.with_password("12345678901", 1, Some(month)).await;
    let id = contract.to_string();
    for wizard in [
        Wizard::Registration,
        Wizard::TokenChange,
        Wizard::StopUse,
        Wizard::Loss,
    ] {
        let begun = site
            .bank()
            .sign_in(&id, PASSWORD, Some(wizard), &caller())
            .await
            .unwrap();
        let SignIn::Begun(_, stage) = begun else {
            panic!("{begun:?}")
        };
        let expected = match wizard {
            Wizard::Loss => Stage::Wizard(Wizard::Loss),
            _ => Stage::AwaitingNewPassword,
        };
        assert_eq!(stage, expected);
    }
}

async fn the_old_password_is_tried_no_faster_inside_a_session_than_at_the_door(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.with_password("12345678901", 1, None).await;
    let visitor = site.visitor(contract, Stage::Full);
    let (bank, new) = (site.bank(), "another long password");
    let tried = async |old: &str| {
        let typed = Typed {
            old,
            new,
            again: new,
        };
        bank.replace_password(&visitor, typed).await.unwrap()
    };
    for _ in 0..5 {
        assert!(matches!(tried("a guess at it").await, Replacement::Wrong));
    }
    assert!(matches!(tried(PASSWORD).await, Replacement::Wait(30)));
    site.service.clock.advance(30);
    assert!(matches!(tried(PASSWORD).await, Replacement::Ready(_)));
}

async fn a_password_that_was_long_enough_beside_a_code_is_not_once_login_asks_for_none(
    engine: Engine,
) {
    let site = BankSite::new(engine).await;
    let contract = site.with_password("12345678901", 1, None).await;
    let visitor = site.visitor(contract, Stage::Full);
    let (bank, new) = (site.bank(), "vt4qn-8z");
    let typed = Typed {
        old: PASSWORD,
        new,
        again: new,
    };
    let refused = bank.replace_password(&visitor, typed).await.unwrap();
    let minimum = PasswordRefusal::TooShort { minimum: 15 };
    assert!(matches!(refused, Replacement::Refused(why) if why == minimum));
    let token = site.registered(contract).await;
    let given = Given {
        code: Some(site.code(&token).to_string().into()),
        password: Some(site.replaces(&visitor, PASSWORD, new).await),
        ..Given::default()
    };
    let kind = OrderKind::PasswordChange;
    let key = site.show(&visitor, &Order::PasswordChange).await;
    // Between the page and its code the setting changes, in a way that looks at the old password's length.
    site.place
        .with(|connection| {
            connection.transaction(|tx| contract::set_login_asks_code(tx, contract, false))
        })
        .unwrap();
    let answer = bank.confirm(&visitor, kind, key, given).await.unwrap();
    assert_eq!(answer, Confirmed::Refused(Refusal::PasswordTooShort));
    assert_eq!(site.begins(contract).await.1, Stage::Full);
}

async fn a_hash_of_older_parameters_is_made_anew_at_the_next_login(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 0);
    // argon2 (reference C program) -id -t 3 -k 1024 -p 1 -l 32, of "password".
    let old = "$argon2id$v=19$m=1024,t=3,p=1$MDEyMzQ1Njc4OWFiY2RlZg$rRhV8cCFm000w53oEMv6H//LGodkqKWHkZwz0xC95vk";
    let now = site.now();
    let set = site.place.with(|connection| {
        connection.transaction(|tx| contract::set_password(tx, contract, old, 8, None, now))
    });
    set.unwrap();
    let renewed =
        "SELECT COUNT(*) FROM contracts WHERE password LIKE '$argon2id$v=19$m=19456,t=2,p=1$%'";
    assert!(matches!(
        site.enters(contract, "wrong").await,
        SignIn::Wrong
    ));
    assert_eq!(site.place.count(renewed), 0);
    for _ in 0..2 {
        let answer = site.enters(contract, "password").await;
        assert!(matches!(answer, SignIn::Begun(..)), "{answer:?}");
        assert_eq!(site.place.count(renewed), 1);
    }
}
