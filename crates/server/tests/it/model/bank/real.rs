//! What is done to the real bank, and how it stands afterwards.

use std::collections::HashMap;
use std::sync::Arc;

use warifu::ambient::{SystemEntropy, random};
use warifu::bank::staff::{Decided, Member};
use warifu::bank::{Bank, Given, Visitor};
use warifu::bank_store::{account, approval, contract, limit, session, transfer};
use warifu_bank::account::{AccountId, AccountKind};
use warifu_bank::contract::{ContractId, LossReason, TokenStanding};
use warifu_bank::jst;
use warifu_bank::operation::Order;
use warifu_bank::session::{SessionKey, SessionSecret, Stage};
use warifu_bank::staff::{ApprovalKind, Role};
use warifu_bank::transfer::{Payee, TransferOrder};
use warifu_bank::uid::Uid;
use warifu_bank::yen::Yen;

use super::plain::{self, Answer, Form, HOLDERS, Loss, Model, OPENED_WITH, Sending, TOKENS};
use super::{Case, Real, answer, date};
use crate::harness::{START, customer_account, open_contract};

pub(super) const RELEASE: ApprovalKind = ApprovalKind::Release;
pub(super) const UNLOCK: ApprovalKind = ApprovalKind::Unlock;

/// How a case stands, as both sides can tell it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Standing {
    balances: Vec<i64>,
    customers: Vec<Customer>,
    /// By page.
    transfers: Vec<(u32, Sending)>,
}

#[derive(Debug, PartialEq, Eq)]
struct Customer {
    token: Option<usize>,
    since: Option<i64>,
    loss: Option<Loss>,
    asks: bool,
    limit: i64,
    used: i64,
}

fn member(name: &str, role: Role) -> Member {
    Member {
        name: name.into(),
        display_name: name.into(),
        role,
        session: SessionKey([0; 32]),
        address: "192.0.2.9".into(),
    }
}

fn teller() -> Member {
    member("teller", Role::Teller)
}

fn approver() -> Member {
    member("approver", Role::Approver)
}

fn reason(loss: Loss) -> LossReason {
    match loss {
        Loss::Lost => LossReason::Lost,
        Loss::Stolen => LossReason::Stolen,
        Loss::Broken => LossReason::Broken,
    }
}

/// A session of a stage, as if its password had been given.
async fn visitor(bank: &Bank, contract: ContractId, stage: Stage) -> Visitor {
    let key = SessionSecret::from_random(random(&SystemEntropy)).key();
    let now = bank.now();
    let database = bank.database();
    let session = database.write(move |tx| {
        session::begin(tx, &new_session(key, contract, stage), now)?;
        session::find(tx, key)
    });
    Visitor {
        session: session.await.unwrap().unwrap(),
        address: "192.0.2.1".into(),
    }
}

fn new_session(key: SessionKey, contract: ContractId, stage: Stage) -> session::New {
    session::New {
        key,
        contract,
        stage,
        address: "192.0.2.1".into(),
        agent: "test".into(),
    }
}

async fn open_accounts(
    bank: &Bank,
    contracts: [ContractId; 2],
    numbers: [u32; 3],
) -> [AccountId; 3] {
    let (now, [first, second_number, third]) = (bank.now(), numbers);
    let database = bank.database();
    let opened = database.write(move |tx| {
        open_contract(tx, &contracts[0].to_string(), first, OPENED_WITH[0], now)?;
        open_contract(tx, &contracts[1].to_string(), third, OPENED_WITH[2], now)?;
        let own = customer_account(second_number);
        account::insert(tx, own, Some(contracts[0]), Some(Yen::ZERO), now)
    });
    assert!(opened.await.unwrap());
    let accounts = numbers.map(customer_account);
    let (key, into, yen) = (bank.uid(), accounts[1], Yen(OPENED_WITH[1]));
    let teller = teller();
    let booked = bank.deposit(&teller, contracts[0], key, into, yen);
    assert!(booked.await.unwrap());
    accounts
}

impl Real {
    /// Two customers and three tokens that no case had.
    pub(super) fn open(&mut self, case: u32) -> Case {
        let id = |number: u32| ContractId::from_stored(10_000_000_000 + i64::from(number)).unwrap();
        let contracts = [id(2 * case), id(2 * case + 1)];
        let numbers = [3 * case, 3 * case + 1, 3 * case + 2];
        let bank = self.site.bank();
        let (accounts, visitors) = self.runtime.block_on(async {
            let accounts = open_accounts(&bank, contracts, numbers).await;
            let first = visitor(&bank, contracts[0], Stage::Full).await;
            (
                accounts,
                [first, visitor(&bank, contracts[1], Stage::Full).await],
            )
        });
        drop(bank);
        // An address a case: the clock of the next begins before the one of the last ended.
        let address = format!("2001:db8::{case:x}");
        let tokens = (0..TOKENS)
            .map(|_| {
                self.runtime
                    .block_on(self.site.service.token_from(&address))
            })
            .collect();
        Case {
            contracts,
            accounts,
            visitors,
            tokens,
            pages: HashMap::new(),
            done: HashMap::new(),
            deposits: HashMap::new(),
            possible: vec![Model::new(super::REGISTERED)],
        }
    }

    /// Shows a page that was not shown yet; some where it was refused.
    pub(super) fn show(&mut self, case: &mut Case, form: &Form) -> Result<Option<Answer>, String> {
        if case.pages.contains_key(&form.page) {
            return Ok(None);
        }
        let (bank, order) = (self.copy(), case.order(form));
        let full = case.visitors[form.contract].clone();
        let (visitor, shown) = self.runtime.block_on(async {
            let visitor = match order {
                // A login has a session of its own before it.
                Order::Login => visitor(&bank, full.session.contract, Stage::AwaitingCode).await,
                _ => full,
            };
            let shown = bank.show(&visitor, order.kind(), Some(order)).await;
            (visitor, shown)
        });
        match shown.map_err(|error| format!("no page: {error}"))? {
            Ok(shown) => {
                case.pages.insert(form.page, (shown.key, visitor));
                Ok(None)
            }
            Err(refusal) => answer(&warifu::bank::Confirmed::Refused(refusal)).map(Some),
        }
    }

    /// Sends every form at the same time.
    pub(super) fn confirm(
        &mut self,
        case: &mut Case,
        forms: &[Form],
    ) -> Result<Vec<Answer>, String> {
        let sent: Vec<_> = forms
            .iter()
            .map(|form| {
                let (key, visitor) = case.pages[&form.page].clone();
                let order = case.order(form);
                let full = SessionSecret::from_random(random(&SystemEntropy)).key();
                let contract = visitor.session.contract;
                let given = Given {
                    code: Some(case.code(form.code).to_string().into()),
                    sign_in: Some(new_session(full, contract, Stage::Full)),
                    order: Some(order.clone()),
                    ..Given::default()
                };
                (self.copy(), visitor, order.kind(), key, given)
            })
            .collect();
        let confirmed = self.runtime.block_on(async {
            let sending: Vec<_> = sent
                .into_iter()
                .map(|(bank, visitor, kind, key, given)| {
                    tokio::spawn(async move { bank.confirm(&visitor, kind, key, given).await })
                })
                .collect();
            let mut confirmed = Vec::with_capacity(sending.len());
            for one in sending {
                confirmed.push(one.await.unwrap());
            }
            confirmed
        });
        let mut answers = Vec::with_capacity(forms.len());
        for (form, confirmed) in forms.iter().zip(confirmed) {
            let confirmed = confirmed.map_err(|error| format!("no answer: {error}"))?;
            answers.push(answer(&confirmed)?);
            if matches!(confirmed, warifu::bank::Confirmed::Done(..)) {
                let first = case
                    .done
                    .entry(form.page)
                    .or_insert_with(|| confirmed.clone());
                if *first != confirmed {
                    return Err(format!("done twice: {first:?} and {confirmed:?}"));
                }
            }
        }
        Ok(answers)
    }

    pub(super) fn deposit(&mut self, case: &mut Case, number: u32, account: usize, amount: i64) {
        let bank = self.copy();
        let key = *case.deposits.entry(number).or_insert_with(|| bank.uid());
        let contract = case.contracts[HOLDERS[account]];
        let into = case.accounts[account];
        let teller = teller();
        let booked = bank.deposit(&teller, contract, key, into, Yen(amount));
        assert!(self.runtime.block_on(booked).unwrap());
    }

    pub(super) fn staff_stop(&mut self, case: &Case, contract: usize, loss: Loss) -> bool {
        let bank = self.copy();
        let (id, asked_by) = (case.contracts[contract], "電話".to_owned());
        let teller = teller();
        let stopped = bank.stop_token(&teller, id, reason(loss), asked_by);
        self.runtime.block_on(stopped).unwrap()
    }

    /// One asks, another approves; whether it could be done.
    pub(super) fn by_two(&mut self, case: &Case, contract: usize, kind: ApprovalKind) -> bool {
        let (asked_at, decided_at) = (self.copy(), self.copy());
        let id = case.contracts[contract];
        self.runtime.block_on(async {
            let (teller, why) = (teller(), "確認済み".to_owned());
            let asked = asked_at.ask_approval(&teller, kind, id, String::new(), why);
            assert!(asked.await.unwrap());
            let all = decided_at.approvals().await.unwrap();
            let ours = |it: &&approval::Stored| {
                it.contract == id && it.kind == kind && it.state == approval::State::Open
            };
            let approval = all.iter().find(ours).unwrap().id;
            match decided_at
                .decide(&approver(), approval, true)
                .await
                .unwrap()
            {
                Decided::Done => true,
                Decided::NotPossible => {
                    let declined = decided_at.decide(&approver(), approval, false).await;
                    assert_eq!(declined.unwrap(), Decided::Done);
                    false
                }
                other => panic!("{other:?}"),
            }
        })
    }

    pub(super) fn send_due(&mut self, case: &mut Case) {
        let copies = self.copies();
        self.runtime.block_on(async {
            let sending: Vec<_> = copies
                .into_iter()
                .map(|bank| tokio::spawn(async move { bank.send_due().await }))
                .collect();
            for copy in sending {
                copy.await.unwrap().unwrap();
            }
        });
        let all = case.possible.iter().flat_map(Model::send_due);
        case.possible = all.collect();
    }

    pub(super) fn tell_token_service(&mut self) {
        let bank = self.copy();
        let told = bank.tell_token_service();
        self.runtime.block_on(told).unwrap();
    }

    pub(super) fn seen(&mut self, case: &Case) -> Standing {
        let bank: Arc<Bank> = self.copy();
        let (accounts, contracts, today) = (case.accounts, case.contracts, jst::day(bank.now()));
        let initial = bank.settings().limits.initial;
        let database = bank.database();
        let read = database.read(move |tx| {
            let mut balances = Vec::new();
            for id in accounts {
                balances.push(account::find(tx, id)?.unwrap().balance.0);
            }
            let mut customers = Vec::new();
            for id in contracts {
                customers.push((
                    contract::find(tx, id)?.unwrap(),
                    limit::find(tx, id, today, initial)?.current.0,
                    limit::used(tx, id, today)?.0,
                    transfer::newest(tx, id, 100)?,
                ));
            }
            Ok((balances, customers))
        });
        let (balances, customers) = self.runtime.block_on(read).unwrap();
        let mut transfers = Vec::new();
        let page_of = |key: Uid| {
            let mut pages = case.pages.iter();
            let found = pages.find(|(_, (of, _))| *of == key);
            *found.unwrap().0
        };
        let customers = customers
            .into_iter()
            .map(|(stored, limit, used, sent)| {
                let sent = sent.into_iter();
                transfers.extend(sent.map(|one| (page_of(one.key), sending(one.state))));
                customer(case, &stored, limit, used)
            })
            .collect();
        transfers.sort_unstable_by_key(|(page, _)| *page);
        Standing {
            balances,
            customers,
            transfers,
        }
    }
}

fn sending(state: transfer::State) -> Sending {
    match state {
        transfer::State::Reserved => Sending::Reserved,
        transfer::State::Sent => Sending::Sent,
        transfer::State::Cancelled => Sending::Cancelled,
        transfer::State::NotSent => Sending::NotSent,
    }
}

fn customer(case: &Case, stored: &contract::Stored, limit: i64, used: i64) -> Customer {
    let mut customer = Customer {
        token: None,
        since: None,
        loss: None,
        asks: stored.contract.login_asks_code,
        limit,
        used,
    };
    match &stored.contract.token {
        TokenStanding::None => {}
        TokenStanding::InUse { token, since } => {
            let ours = |held: &crate::harness::Token| held.id.to_string() == token.as_str();
            customer.token = case.tokens.iter().position(ours);
            customer.since = Some(since.as_second() - START);
        }
        TokenStanding::AwaitingRelease { reason } => {
            customer.loss = Some(match reason {
                LossReason::Lost => Loss::Lost,
                LossReason::Stolen => Loss::Stolen,
                LossReason::Broken => Loss::Broken,
            });
        }
    }
    customer
}

impl Case {
    pub(super) fn as_the_model_says(&self, model: &Model) -> Standing {
        let customer = |id: usize| {
            let plain = &model.contracts[id];
            Customer {
                token: plain.token.map(|(token, _)| token),
                since: plain.token.map(|(_, since)| since),
                loss: plain.loss,
                asks: plain.asks,
                limit: model.limit(id, model.today()),
                used: model.used(id, model.today()),
            }
        };
        let transfers = model.transfers.iter();
        Standing {
            balances: model.balances.to_vec(),
            customers: vec![customer(0), customer(1)],
            transfers: transfers.map(|(page, it)| (*page, it.state)).collect(),
        }
    }

    fn order(&self, form: &Form) -> Order {
        let id = |token: usize| self.tokens[token].id.to_string();
        let key = |page: u32| self.pages.get(&page).map(|(key, _)| key.to_string());
        match form.order {
            plain::Order::Login => Order::Login,
            plain::Order::Register { token } => Order::Registration { token: id(token) },
            plain::Order::StopUse => Order::StopUse,
            plain::Order::ChangeBegin => Order::TokenChangeBegin,
            plain::Order::Change { token, begun } => Order::TokenChange {
                token: id(token),
                begun: key(begun).unwrap_or_default(),
            },
            plain::Order::LoginSetting { asks } => Order::LoginSetting { asks },
            plain::Order::Transfer {
                from,
                to,
                amount,
                day,
            } => Order::Transfer(TransferOrder {
                from: self.accounts[from],
                to: to.map_or_else(elsewhere, |to| here(self.accounts[to])),
                amount,
                fee: plain::fee(&form.order),
                date: date(day),
                remember: false,
            }),
            plain::Order::Internal { from, to, amount } => Order::InternalTransfer {
                from: self.accounts[from],
                to: self.accounts[to],
                amount,
            },
            plain::Order::Limit { to } => Order::LimitChange { to },
            plain::Order::Cancel { page } => Order::TransferCancel {
                transfer: key(page).unwrap_or_default(),
            },
            plain::Order::LossStop { stolen } => Order::LossStop { stolen },
        }
    }
}

fn elsewhere() -> Payee {
    Payee {
        bank: "0001".into(),
        branch: "001".into(),
        kind: AccountKind::Ordinary,
        number: "1234567".parse().unwrap(),
        name: "ﾐﾎﾝｼﾖｳｼﾞ(ｶ".into(),
    }
}

/// An account of this bank, under its holder's name.
fn here(account: AccountId) -> Payee {
    Payee {
        bank: "9999".into(),
        branch: "101".into(),
        kind: AccountKind::Ordinary,
        number: account.number(),
        name: "ﾐﾎﾝ ﾊﾅｺ".into(),
    }
}
