use std::sync::Arc;
use std::time::Duration;

use warifu::ambient::{Clock, SystemEntropy, random};
use warifu::bank::{Bank, BankSettings, Confirmed, Given, Visitor};
use warifu::bank_store::{account, contract, journal, session};
use warifu::database::{DatabaseError, PoolSettings, Tx, Waiting};
use warifu::otp_link::OtpLink;
use warifu::passwords::Hasher;
use warifu_bank::account::{AccountId, AccountKind, AccountNumber};
use warifu_bank::contract::ContractId;
use warifu_bank::ledger::{JournalKind, Postings};
use warifu_bank::operation::{Order, OrderKind};
use warifu_bank::session::{SessionSecret, Stage};
use warifu_bank::uid::Uid;
use warifu_bank::yen::Yen;
use warifu_oath::Code;

use super::place::apart;
use super::token::Token;
use super::{Engine, Place, Service};

/// A bank and its token service in this process, each with a database of its own and one clock.
pub(crate) struct BankSite {
    pub(crate) service: Service,
    running: Option<Arc<Bank>>,
    pub(crate) place: Place,
}

/// 普通 account number `number` of branch 101.
pub(crate) fn customer_account(number: u32) -> AccountId {
    let number = AccountNumber::try_from(number).unwrap();
    AccountId::of(101, AccountKind::Ordinary, number)
}

/// A key for a journal or an operation.
fn order_key(now: jiff::Timestamp) -> Uid {
    Uid::new(now, &random(&SystemEntropy))
}

/// Opens a contract with one account that holds `yen`.
pub(crate) fn open_contract(
    tx: &mut Tx<'_>,
    id: &str,
    number: u32,
    yen: i64,
    now: jiff::Timestamp,
) -> Result<ContractId, DatabaseError> {
    let id: ContractId = id.parse().unwrap();
    let new = contract::New {
        id,
        name: "見本 花子",
        kana: "ﾐﾎﾝ ﾊﾅｺ",
        language: "ja",
        mail: Some("customer@example.co.jp"),
        password: "$argon2id$none",
        password_length: 16,
        password_expires_at: now,
    };
    assert!(contract::insert(tx, &new, now)?);
    contract::set_password(tx, id, "$argon2id$none", 16, None, now)?;
    account::ensure_inner(tx, now)?;
    let account = customer_account(number);
    assert!(account::insert(
        tx,
        account,
        Some(id),
        Some(Yen::ZERO),
        now
    )?);
    if yen > 0 {
        let postings = Postings::deposit(account, Yen(yen), "入金").unwrap();
        let new = journal::New {
            id: order_key(now),
            kind: JournalKind::Deposit,
            reverses: None,
            receipt: "",
            postings: &postings,
        };
        assert_eq!(journal::book(tx, &new, now)?, journal::Booked::Done);
    }
    Ok(id)
}

impl BankSite {
    pub(crate) async fn new(engine: Engine) -> Self {
        Self::with(engine, BankSettings::default()).await
    }

    pub(crate) async fn with(engine: Engine, settings: BankSettings) -> Self {
        let service = Service::new(engine);
        let place = Place::of_bank(engine);
        let mut site = Self {
            service,
            running: None,
            place,
        };
        site.start(settings).await;
        site
    }

    /// Ends the bank, if it runs, and starts it anew on what it kept.
    pub(crate) async fn start(&mut self, settings: BankSettings) {
        let verifier = OtpLink::InProcess {
            service: self.service.running(),
            party: self.service.bank,
        };
        self.start_on(verifier, settings).await;
    }

    /// The same with another way to a token service.
    pub(crate) async fn start_with(&mut self, verifier: OtpLink) {
        self.start_on(verifier, BankSettings::default()).await;
    }

    async fn start_on(&mut self, verifier: OtpLink, settings: BankSettings) {
        self.stop();
        self.running = Some(self.open(verifier, settings).await);
    }

    /// Another copy of the bank over the same databases: it shares nothing else with the first.
    pub(crate) async fn another_copy(&self) -> Arc<Bank> {
        let verifier = OtpLink::InProcess {
            service: self.service.running(),
            party: self.service.bank,
        };
        self.open(verifier, BankSettings::default()).await
    }

    async fn open(&self, verifier: OtpLink, settings: BankSettings) -> Arc<Bank> {
        let pool = PoolSettings {
            location: self.place.location.clone(),
            queue: 4096,
            group: 256,
            connections: 4,
            gatherers: 1,
            cache_kib: 4096,
            waiting: Waiting::default(),
            timeout: Duration::from_secs(30),
            on_commit: Arc::new(|_| ()),
        };
        let clock = Arc::clone(&self.service.clock) as Arc<dyn Clock>;
        let hasher = Arc::new(Hasher::start(2, Arc::new(SystemEntropy)).unwrap());
        let bank = apart(|| {
            Bank::start(
                &pool,
                verifier,
                hasher,
                clock,
                Arc::new(SystemEntropy),
                settings,
            )
        });
        let bank = Arc::new(bank.unwrap());
        bank.prepare().await.unwrap();
        bank
    }

    fn stop(&mut self) {
        if let Some(bank) = self.running.take().and_then(Arc::into_inner) {
            bank.close();
        }
    }

    pub(crate) fn bank(&self) -> Arc<Bank> {
        Arc::clone(self.running.as_ref().unwrap())
    }

    pub(crate) fn now(&self) -> jiff::Timestamp {
        self.service.clock.now()
    }

    /// Opens a contract with one account that holds `yen`.
    pub(crate) fn contract(&self, id: &str, number: u32, yen: i64) -> ContractId {
        let now = self.now();
        self.place
            .with(|connection| connection.transaction(|tx| open_contract(tx, id, number, yen, now)))
            .unwrap()
    }

    /// A session of this stage, as if its password had been given.
    pub(crate) fn visitor(&self, contract: ContractId, stage: Stage) -> Visitor {
        let secret = SessionSecret::from_random(random(&SystemEntropy));
        self.visitor_with(contract, stage, &secret)
    }

    /// The same with a secret that is known.
    pub(crate) fn visitor_with(
        &self,
        contract: ContractId,
        stage: Stage,
        secret: &SessionSecret,
    ) -> Visitor {
        let now = self.now();
        let session = self.place.with(|connection| {
            connection.transaction(|tx| {
                let new = session::New {
                    key: secret.key(),
                    contract,
                    stage,
                    address: "192.0.2.1".into(),
                    agent: "test".into(),
                };
                session::begin(tx, &new, now)?;
                session::find(tx, secret.key())
            })
        });
        Visitor {
            session: session.unwrap().unwrap(),
            address: "192.0.2.1".into(),
        }
    }

    /// Shows an operation and gives its key.
    pub(crate) async fn show(&self, visitor: &Visitor, order: &Order) -> Uid {
        let shown = self
            .bank()
            .show(visitor, order.kind(), Some(order.clone()))
            .await;
        shown.unwrap().unwrap().key
    }

    pub(crate) async fn confirm(
        &self,
        visitor: &Visitor,
        kind: OrderKind,
        key: Uid,
        code: Option<Code>,
    ) -> Confirmed {
        let given = Given {
            code: code.map(|code| code.to_string().into()),
            ..Given::default()
        };
        self.bank()
            .confirm(visitor, kind, key, given)
            .await
            .unwrap()
    }

    /// The code that a token shows now.
    pub(crate) fn code(&self, token: &Token) -> Code {
        token.code(self.service.step())
    }

    /// Waits for the next code.
    pub(crate) fn next_code(&self) {
        self.service.clock.advance(30);
    }

    /// A token that is registered to the contract; the next code is good for anything.
    pub(crate) async fn registered(&self, contract: ContractId) -> Token {
        let token = self.service.token().await;
        let wizard = Stage::Wizard(warifu_bank::session::Wizard::Registration);
        let visitor = self.visitor(contract, wizard);
        let order = Order::Registration {
            token: token.id.to_string(),
        };
        let key = self.show(&visitor, &order).await;
        let code = self.code(&token);
        match self
            .confirm(&visitor, OrderKind::Registration, key, Some(code))
            .await
        {
            Confirmed::Done(..) => self.next_code(),
            other => panic!("{other:?}"),
        }
        token
    }

    /// Through the page that asks for the login's code, with a code or, where none is asked for, without.
    pub(crate) async fn signed_in(&self, contract: ContractId, code: Option<Code>) -> Visitor {
        let half = self.visitor(contract, Stage::AwaitingCode);
        let key = self.show(&half, &Order::Login).await;
        let full = SessionSecret::from_random(random(&SystemEntropy)).key();
        let given = Given {
            code: code.map(|code| code.to_string().into()),
            sign_in: Some(session::New {
                key: full,
                contract,
                stage: Stage::Full,
                address: "192.0.2.1".into(),
                agent: "test".into(),
            }),
            ..Given::default()
        };
        match self
            .bank()
            .confirm(&half, OrderKind::Login, key, given)
            .await
            .unwrap()
        {
            Confirmed::Done(..) => {}
            other => panic!("{other:?}"),
        }
        let found = self
            .place
            .with(|connection| connection.read(|tx| session::find(tx, full)));
        Visitor {
            session: found.unwrap().unwrap(),
            address: "192.0.2.1".into(),
        }
    }

    /// A session as it is stored now.
    pub(crate) fn session(&self, key: warifu_bank::session::SessionKey) -> session::Stored {
        let found = self
            .place
            .with(|connection| connection.read(|tx| session::find(tx, key)));
        found.unwrap().unwrap()
    }

    pub(crate) fn balance(&self, account: AccountId) -> i64 {
        self.place
            .with(|connection| connection.read(|tx| account::find(tx, account)))
            .unwrap()
            .unwrap()
            .balance
            .0
    }
}

impl Drop for BankSite {
    fn drop(&mut self) {
        self.stop();
    }
}
