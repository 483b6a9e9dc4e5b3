//! Who may open which page (B1–B18, F1): every route × method × visitor has its answer here, and a route without a row
//! fails the test. A method that has no row is answered with 405.

use std::collections::BTreeSet;

use axum::http::Method;
use warifu::ambient::{SystemEntropy, random};
use warifu::bank::Confirmed;
use warifu::bank_store::{account, staff};
use warifu::web::cookies;
use warifu::{bank_web, staff_web};
use warifu_bank::account::AccountId;
use warifu_bank::contract::ContractId;
use warifu_bank::jst;
use warifu_bank::operation::{Order, OrderKind};
use warifu_bank::session::{SessionSecret, Stage, Wizard};
use warifu_bank::staff::Role;
use warifu_bank::uid::Uid;
use warifu_bank::yen::Yen;

use super::transfer::to_other_bank;
use crate::harness::{BankSite, Browser, Engine, customer_account};

both_engines!(
    every_page_of_the_bank_answers_each_visitor_as_the_table_says,
    every_page_of_the_staff_answers_each_visitor_as_the_table_says,
);

/// A guest; who gave his password but no code; who must change his first password; who gave his password for this
/// wizard; another customer, who asks for what is the first one's; the first customer. A status, or where he is led.
const CUSTOMERS: &str = "
GET  /                             200            200            200            200                   /top           /top
POST /login                        422            422            422            422                   422            422
GET  /login/code                   /              200            /              /                     /              /
POST /login/code                   /              422            /              /                     /top           /top
GET  /login/password               /              /              200            /                     /              /
POST /login/password               /              /              422            /                     /              /
POST /logout                       /?ended=out    /?ended=out    /?ended=out    /?ended=out           /?ended=out    /?ended=out
GET  /session                      /              204            204            /                     204            204
GET  /language/{language}          /              /              /              /                     /              /
GET  /assets/{name}                200            200            200            200                   200            200
GET  /guide                        200            200            200            200                   200            200
GET  /guide/token                  /guide         /guide         /guide         /guide                /guide         /guide
POST /guide/elsewhere              /guide         /guide         /guide         /guide                /guide         /guide
GET  /registration                 200            200            200            200                   200            200
POST /registration                 422            422            422            422                   422            422
GET  /registration/token           /registration  /registration  /registration  /registration/change  200            /registration
POST /registration/token           /registration  /registration  /registration  422                   422            /registration
GET  /registration/result/{key}    /registration  /registration  /registration  200                   404            /registration
GET  /registration/change          /registration  /registration  /registration  200                   422            /registration
POST /registration/change          /registration  /registration  /registration  422                   422            /registration
GET  /registration/change/{begun}  /registration  /registration  /registration  200                   200            /registration
POST /registration/change/{begun}  /registration  /registration  /registration  422                   422            /registration
GET  /token-change                 200            200            200            200                   200            200
POST /token-change                 422            422            422            422                   422            422
GET  /token-change/old             /token-change  /token-change  /token-change  200                   422            /token-change
POST /token-change/old             /token-change  /token-change  /token-change  422                   422            /token-change
GET  /token-change/new/{begun}     /token-change  /token-change  /token-change  200                   200            /token-change
POST /token-change/new/{begun}     /token-change  /token-change  /token-change  422                   422            /token-change
GET  /token-change/result/{key}    /token-change  /token-change  /token-change  404                   404            /token-change
GET  /stop-use                     200            200            200            200                   200            200
POST /stop-use                     422            422            422            422                   422            422
GET  /stop-use/confirm             /stop-use      /stop-use      /stop-use      200                   422            /stop-use
POST /stop-use/confirm             /stop-use      /stop-use      /stop-use      422                   422            /stop-use
GET  /stop-use/result/{key}        /stop-use      /stop-use      /stop-use      404                   404            /stop-use
GET  /loss                         200            200            200            200                   200            200
POST /loss                         422            422            422            422                   422            422
GET  /loss/confirm                 /loss          /loss          /loss          200                   200            /loss
POST /loss/confirm                 /loss          /loss          /loss          422                   422            /loss
GET  /loss/result/{key}            /loss          /loss          /loss          404                   404            /loss
GET  /top                          /              /              /              /                     200            200
GET  /accounts/{account}           /              /              /              /                     404            200
GET  /accounts/{account}/csv       /              /              /              /                     404            200
GET  /transfer                     /              /              /              /                     200            200
POST /transfer                     /              /              /              /                     422            /confirm/*
GET  /transfers                    /              /              /              /                     200            200
POST /transfers/cancel             /              /              /              /                     422            /confirm/*
GET  /internal-transfer            /              /              /              /                     200            200
POST /internal-transfer            /              /              /              /                     422            /confirm/*
GET  /limit                        /              /              /              /                     200            200
POST /limit                        /              /              /              /                     422            /confirm/*
GET  /payees                       /              /              /              /                     200            200
POST /payees/remove                /              /              /              /                     /payees        /payees
GET  /banks                        /              /              /              /                     200            200
GET  /confirm/{key}                /              /              /              /                     404            200
POST /confirm/{key}                /              /              /              /                     404            422
GET  /result/{key}                 /              /              /              /                     404            200
GET  /profile                      /              /              /              /                     200            200
GET  /profile/login-setting        /              /              /              /                     200            200
POST /profile/login-setting        /              /              /              /                     404            422
GET  /profile/password             /              /              /              /                     200            200
POST /profile/password             /              /              /              /                     422            422
GET  /profile/mail                 /              /              /              /                     200            200
POST /profile/mail                 /              /              /              /                     422            /confirm/*
GET  /profile/history              /              /              /              /                     200            200
GET  /profile/sessions             /              /              /              /                     200            200
POST /profile/sessions             /              /              /              /                     /profile/sessions  /profile/sessions
GET  /profile/emergency-stop       /              /              /              /                     200            200
POST /profile/emergency-stop       /              /              /              /                     /confirm/*     /confirm/*
";

/// A guest; staff who gave the password but no code; a customer; an auditor; a teller; an approver.
const STAFF: &str = "
GET  /login                         200     200     200     200           200           200
POST /login                         422     422     422     422           422           422
GET  /login/code                    /login  200     /login  /login        /login        /login
POST /login/code                    /login  422     /login  /login        /login        /login
POST /logout                        /login  /login  /login  /login        /login        /login
GET  /session                       /login  /login  /login  204           204           204
GET  /language/{language}           /       /       /       /             /             /
GET  /assets/{name}                 200     200     200     200           200           200
GET  /                              /login  /login  /login  200           200           200
GET  /contracts/new                 /login  /login  /login  403           200           200
POST /contracts/new                 /login  /login  /login  403           422           422
GET  /contracts/{contract}          /login  /login  /login  200           200           200
POST /contracts/{contract}/deposit  /login  /login  /login  403           /contracts/*  /contracts/*
POST /contracts/{contract}/password /login  /login  /login  403           200           200
POST /contracts/{contract}/stop     /login  /login  /login  403           422           422
POST /contracts/{contract}/ask      /login  /login  /login  403           /approvals    /approvals
GET  /approvals                     /login  /login  /login  200           200           200
POST /approvals/decide              /login  /login  /login  403           403           422
GET  /mails                         /login  /login  /login  200           200           200
";

const METHODS: [Method; 5] = [
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
];

/// Of a table: method, path, and the answers.
fn rows(table: &'static str) -> Vec<(&'static str, &'static str, Vec<&'static str>)> {
    let row = |line: &'static str| {
        let mut words = line.split_whitespace();
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        let answers: Vec<_> = words.collect();
        assert_eq!(answers.len(), 6, "{line}");
        (method, path, answers)
    };
    table.trim().lines().map(row).collect()
}

/// Every route has a row, every row a route, and none is there twice.
fn require_every_route(table: &'static str, routes: Vec<&'static str>) {
    let rows = rows(table);
    let listed: BTreeSet<_> = rows.iter().map(|(_, path, _)| *path).collect();
    assert_eq!(listed, routes.into_iter().collect());
    let distinct: BTreeSet<_> = rows
        .iter()
        .map(|(method, path, _)| (method, path))
        .collect();
    assert_eq!(distinct.len(), rows.len());
}

fn fits(expected: &str, told: &str) -> bool {
    match expected.strip_suffix('*') {
        Some(start) => told.starts_with(start),
        None => told == expected,
    }
}

/// Two customers, and what the first one has.
struct Bank {
    site: BankSite,
    first: ContractId,
    other: ContractId,
    registration: Uid,
    receipt: Uid,
    transfer: Uid,
    payee: Uid,
    requests: u32,
}

impl Bank {
    async fn new(engine: Engine) -> Self {
        let site = BankSite::new(engine).await;
        let first = site.contract("12345678901", 1, 100_000);
        let other = site.contract("12345678902", 2, 100_000);
        let now = site.now();
        let second_account = site.place.with(|connection| {
            let zero = Some(Yen::ZERO);
            connection
                .transaction(|tx| account::insert(tx, customer_account(3), Some(first), zero, now))
        });
        assert!(second_account.unwrap());
        let token = site.registered(first).await;
        let registration = site.place.with(|connection| {
            connection
                .read(|tx| tx.query_one("SELECT key FROM operations", &[], |row| row.bytes(0)))
        });
        let registration = Uid::from_bytes(&registration.unwrap().unwrap()).unwrap();
        let visitor = site.visitor(first, Stage::Full);
        let tomorrow = jst::next_day(jst::day(now)).unwrap();
        let mut order = to_other_bank(30_000, 330, tomorrow);
        order.remember = true;
        let receipt = site.show(&visitor, &Order::Transfer(order)).await;
        let code = Some(site.code(&token));
        let done = site
            .confirm(&visitor, OrderKind::Transfer, receipt, code)
            .await;
        assert!(matches!(done, Confirmed::Done(..)), "{done:?}");
        let transfer = site.bank().transfers(&visitor).await.unwrap()[0].key;
        let payee = site.bank().payees(&visitor).await.unwrap()[0].0;
        Self {
            site,
            first,
            other,
            registration,
            receipt,
            transfer,
            payee,
            requests: 0,
        }
    }

    /// Another network address, and an ID that nobody has, for each request: no lane of tries fills (B17).
    fn nobody(&mut self) -> ([u8; 4], String) {
        self.requests += 1;
        let [.., high, low] = self.requests.to_be_bytes();
        ([198, 51, high, low], format!("7{:010}", self.requests))
    }

    fn address_of(&self, path: &str, key: Uid) -> String {
        let key = if path.contains("/result/") && path != "/result/{key}" {
            self.registration
        } else if path == "/result/{key}" {
            self.receipt
        } else {
            key
        };
        let account = customer_account(1).to_stored().to_string();
        path.replace("{account}", &account)
            .replace("{key}", &key.to_string())
            .replace("{begun}", &key.to_string())
            .replace("{language}", "en")
            .replace("{contract}", &self.first.to_string())
    }
}

/// The wizard that a page belongs to.
fn wizard_of(path: &str) -> Wizard {
    match path.split('/').nth(1).unwrap_or_default() {
        "token-change" => Wizard::TokenChange,
        "stop-use" => Wizard::StopUse,
        "loss" => Wizard::Loss,
        _ => Wizard::Registration,
    }
}

/// The name of a file that pages bring along.
async fn asset_name(browser: &Browser, path: &str) -> String {
    let page = browser.clone().get(path).await.body;
    let (_, rest) = page.split_once("/assets/").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

async fn every_page_of_the_bank_answers_each_visitor_as_the_table_says(engine: Engine) {
    require_every_route(
        CUSTOMERS,
        bank_web::ROUTES.iter().map(|(path, _)| *path).collect(),
    );
    let mut bank = Bank::new(engine).await;
    let guest = bank.site.browser();
    let asset = asset_name(&guest, "/").await;
    let mut wrong = Vec::new();
    for (path, _) in bank_web::ROUTES {
        for method in METHODS {
            let row = rows(CUSTOMERS)
                .into_iter()
                .find(|row| row.0 == method.as_str() && row.1 == *path);
            let answers = row.map_or(vec!["405"; 6], |row| row.2);
            for (who, expected) in answers.iter().enumerate() {
                let told = bank.asks(&guest, &method, path, who, &asset).await;
                if !fits(expected, &told) {
                    wrong.push(format!("{method} {path} by {who}: {told}, not {expected}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(bank.site.balance(customer_account(1)), 100_000);
}

impl Bank {
    /// Asks as the visitor of this column; what he was told.
    async fn asks(
        &mut self,
        guest: &Browser,
        method: &Method,
        path: &str,
        who: usize,
        asset: &str,
    ) -> String {
        let (address, nobody) = self.nobody();
        let (site, first, other) = (&self.site, self.first, self.other);
        let own = SessionSecret::from_random(random(&SystemEntropy));
        let customer = site.visitor_with(first, Stage::Full, &own);
        let wizard = Stage::Wizard(wizard_of(path));
        let half = SessionSecret::from_random(random(&SystemEntropy));
        let awaiting = site.visitor_with(first, Stage::AwaitingCode, &half);
        let browser = guest.clone().at_address(address);
        let mut browser = match who {
            0 => browser,
            1 => browser.with(cookies::SESSION, &half),
            2 => {
                let due = site.cookie(first, Stage::AwaitingNewPassword);
                browser.with(cookies::SESSION, &due)
            }
            3 => browser.with(cookies::WIZARD, &site.cookie(first, wizard)),
            4 => browser
                .with(cookies::SESSION, &site.cookie(other, Stage::Full))
                .with(cookies::WIZARD, &site.cookie(other, wizard)),
            _ => browser.with(cookies::SESSION, &own),
        };
        let key = match path {
            "/login/code" => site.show(&awaiting, &Order::Login).await,
            "/profile/login-setting" | "/profile/password" => {
                let kind = if path.ends_with("password") {
                    OrderKind::PasswordChange
                } else {
                    OrderKind::LoginSetting
                };
                let shown = site.bank().show(&customer, kind, None).await;
                shown.unwrap().unwrap().key
            }
            _ => {
                site.show(&customer, &Order::LimitChange { to: 1_000 })
                    .await
            }
        };
        let address = self.address_of(path, key).replace("{name}", asset);
        let answer = if *method == Method::POST {
            let fields = self.fields(path, key, &nobody, &customer.key().0);
            let fields: Vec<_> = fields.iter().map(|(k, v)| (*k, v.as_str())).collect();
            browser.post(&address, &fields).await
        } else {
            browser
                .send(method.clone(), &address, &[], Vec::new())
                .await
        };
        if who < 5 {
            // What is the first one's is as it was.
            assert_eq!(site.session(customer.key()).ending, None, "{path} by {who}");
            if *method == Method::POST && path == "/payees/remove" {
                let payees = site.bank().payees(&customer).await.unwrap();
                assert_eq!(payees[0].0, self.payee, "removed by {who}");
            }
            let account = customer_account(1).to_stored().to_string();
            let shows = who == 4 && answer.body.contains(&account) && answer.status == 200;
            assert!(!shows, "{path} shows the other's account");
        }
        answer.told()
    }

    /// What the form of a page holds; all that names something names what is the first customer's.
    fn fields(
        &self,
        path: &str,
        key: Uid,
        nobody: &str,
        session: &[u8],
    ) -> Vec<(&'static str, String)> {
        let account = |id: AccountId| id.to_stored().to_string();
        let (from, into) = (account(customer_account(1)), account(customer_account(3)));
        let texts = |pairs: &[(&'static str, &str)]| {
            let owned = pairs
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned()));
            owned.collect::<Vec<_>>()
        };
        match path {
            "/login" | "/registration" | "/stop-use" | "/token-change" | "/loss" => {
                texts(&[("id", nobody), ("password", "no such password")])
            }
            "/transfer" => texts(&[
                ("from", &from),
                ("bank", "0001"),
                ("branch", "001"),
                ("kind", "1"),
                ("number", "1234567"),
                ("name", "ﾐﾎﾝｼﾖｳｼﾞ(ｶ"),
                ("amount", "1000"),
                ("date", &self.site.bank().today().to_string()),
            ]),
            "/transfers/cancel" => texts(&[("transfer", &self.transfer.to_string())]),
            "/internal-transfer" => texts(&[("from", &from), ("to", &into), ("amount", "1000")]),
            "/limit" => texts(&[("to", "1000")]),
            "/payees/remove" => texts(&[("payee", &self.payee.to_string())]),
            "/profile/mail" => texts(&[("to", "another@example.co.jp")]),
            "/profile/sessions" => texts(&[("session", &data_encoding::HEXLOWER.encode(session))]),
            _ => texts(&[
                ("key", &key.to_string()),
                ("asks", "no"),
                ("code", ""),
                ("account", &from),
                ("amount", "1"),
                ("kind", "unlock"),
                ("why", "確認済み"),
                ("approval", &key.to_string()),
                ("decision", "approve"),
            ]),
        }
    }

    /// A cookie of a member of the staff.
    fn staff_cookie(&self, role: Role, full: bool) -> SessionSecret {
        let secret = SessionSecret::from_random(random(&SystemEntropy));
        let now = self.site.now();
        let begun = self.site.place.with(|connection| {
            connection.transaction(|tx| {
                let new = staff::New {
                    name: role.word(),
                    display_name: "見本 担当",
                    role: role.word(),
                    password: "$argon2id$none",
                    password_due: false,
                    enrolment_until: now,
                };
                staff::insert(tx, &new, now)?;
                staff::begin_session(tx, secret.key(), role.word(), full, "", &[7; 32], now)
            })
        });
        begun.unwrap();
        secret
    }
}

async fn every_page_of_the_staff_answers_each_visitor_as_the_table_says(engine: Engine) {
    require_every_route(
        STAFF,
        staff_web::ROUTES.iter().map(|(path, _)| *path).collect(),
    );
    let mut bank = Bank::new(engine).await;
    let guest = bank.site.staff_browser();
    let asset = asset_name(&guest, "/login").await;
    let mut wrong = Vec::new();
    for (path, _) in staff_web::ROUTES {
        for method in METHODS {
            let row = rows(STAFF)
                .into_iter()
                .find(|row| row.0 == method.as_str() && row.1 == *path);
            let answers = row.map_or(vec!["405"; 6], |row| row.2);
            for (who, expected) in answers.iter().enumerate() {
                let (address, nobody) = bank.nobody();
                let browser = guest.clone().at_address(address);
                let mut browser = match who {
                    0 => browser,
                    1 => browser.with(cookies::STAFF, &bank.staff_cookie(Role::Teller, false)),
                    2 => {
                        let customer = bank.site.cookie(bank.first, Stage::Full);
                        browser
                            .with(cookies::SESSION, &customer)
                            .with(cookies::STAFF, &customer)
                    }
                    3 => browser.with(cookies::STAFF, &bank.staff_cookie(Role::Auditor, true)),
                    4 => browser.with(cookies::STAFF, &bank.staff_cookie(Role::Teller, true)),
                    _ => browser.with(cookies::STAFF, &bank.staff_cookie(Role::Approver, true)),
                };
                let key = bank.site.bank().uid();
                let address = bank.address_of(path, key).replace("{name}", &asset);
                let answer = if method == Method::POST {
                    let mut fields = bank.fields("", key, &nobody, &[]);
                    fields.push(("name", nobody));
                    let fields: Vec<_> = fields.iter().map(|(k, v)| (*k, v.as_str())).collect();
                    browser.post(&address, &fields).await
                } else {
                    browser
                        .send(method.clone(), &address, &[], Vec::new())
                        .await
                };
                if !fits(expected, &answer.told()) {
                    let told = answer.told();
                    wrong.push(format!("{method} {path} by {who}: {told}, not {expected}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
