//! From a page to what it leaves (docs/decisions/0013).

use warifu_bank::operation::Refusal;
use warifu_bank::otp_policy::CodeRefusal;

use super::{Answer, CAUTION, Form, Heard, Loss, Model, Order, Page, Sending, Step, Transfer};
use crate::model::token_service::plain::Code;

const PAGE_OPEN: i64 = 600;
const TRIES: u8 = 5;

impl Model {
    /// Shows a page that was not shown before; some where it is refused.
    pub(in crate::model::bank) fn show(&mut self, form: &Form) -> Option<Vec<Answer>> {
        self.next = self.next.max(form.page + 1);
        if self.pages.contains_key(&form.page) {
            return None;
        }
        let refusals = self.refusals(form.contract, &form.order);
        if !refusals.is_empty() {
            return Some(refusals.into_iter().map(Answer::Refused).collect());
        }
        let page = Page {
            contract: form.contract,
            order: form.order,
            code: form.code,
            shown: self.now,
            attempt: 0,
            end: None,
            over: false,
            proved: None,
        };
        self.pages.insert(form.page, page);
        None
    }

    /// From a form to its code, in every way that may be where others are sent at the same time.
    pub(in crate::model::bank) fn authorise(
        &self,
        form: &Form,
        beside_others: bool,
    ) -> Vec<(Self, Step)> {
        let mut after = self.clone();
        let page = after.pages.get_mut(&form.page).unwrap();
        let void = if let Some((_, answer)) = &page.end {
            return vec![(self.clone(), Step::Answered(vec![answer.clone()]))];
        } else if self.now - page.shown >= PAGE_OPEN {
            Some(Refusal::Expired)
        } else if page.attempt >= TRIES {
            Some(Refusal::TooManyTries)
        } else {
            None
        };
        if let Some(refusal) = void {
            let answer = Answer::Refused(refusal);
            page.end = Some((self.now, answer.clone()));
            return vec![(after, Step::Answered(vec![answer]))];
        }
        (page.order, page.code) = (form.order, form.code);
        let mut ways = Vec::new();
        let refusals = self.refusals(form.contract, &form.order);
        let refused = !refusals.is_empty();
        if refused {
            let answers = refusals.into_iter().map(Answer::Refused).collect();
            ways.push((after.clone(), Step::Answered(answers)));
        }
        // Beside others it may have been looked at before they were done.
        if !refused || beside_others {
            if beside_others {
                let attempts = 0..after.pages[&form.page].attempt;
                for heard in attempts.filter_map(|attempt| after.find(form, attempt)) {
                    ways.push((after.clone(), step_of(heard.refusal)));
                }
            }
            let step = after.spend_code(form);
            ways.push((after, step));
        }
        ways
    }

    fn asked_token(&self, form: &Form) -> Option<usize> {
        let own = &self.contracts[form.contract];
        match form.order {
            Order::Internal { .. } | Order::LossStop { .. } => None,
            Order::Register { token } | Order::Change { token, .. } => Some(token),
            Order::Login if !own.asks => None,
            _ => own.token.map(|(token, _)| token),
        }
    }

    fn find(&self, form: &Form, attempt: u8) -> Option<&Heard> {
        let name = (form.page, form.order, attempt);
        self.heard.iter().find(|heard| heard.name == name)
    }

    /// The token service under the name of page, order and attempt.
    fn spend_code(&mut self, form: &Form) -> Step {
        let Some(token) = self.asked_token(form) else {
            return Step::Authorised;
        };
        loop {
            let attempt = self.pages[&form.page].attempt;
            let refusal = match self.find(form, attempt) {
                Some(heard) if heard.code == form.code => heard.refusal,
                // Another code under this name: what became of that is not known.
                Some(_) if attempt < TRIES => {
                    self.pages.get_mut(&form.page).unwrap().attempt += 1;
                    continue;
                }
                Some(_) => {
                    return Step::Answered(vec![Answer::Refused(Refusal::TooManyTries)]);
                }
                None => {
                    let (now, step) = (self.now, self.step());
                    let brings =
                        matches!(form.order, Order::Register { .. } | Order::Change { .. });
                    if brings && let Some(seconds) = self.strange_code(form.contract) {
                        let wait = CodeRefusal::Wait { seconds };
                        return Step::Answered(vec![Answer::Code(wait)]);
                    }
                    let code = match form.code {
                        (of, code) if of == token => code,
                        _ => Code::Wrong(0),
                    };
                    let answer = self.tokens[token].validate(0, code, step, now);
                    let refusal = refusal_of(answer, now);
                    self.heard.push(Heard {
                        name: (form.page, form.order, attempt),
                        code: form.code,
                        refusal,
                    });
                    refusal
                }
            };
            if refusal.is_some() {
                self.pages.get_mut(&form.page).unwrap().attempt += 1;
            }
            return step_of(refusal);
        }
    }

    /// Counts a code of a token that is not the contract's own: ten are free, then each wait is twice the one before, from
    /// half a minute up to an hour. The seconds to wait, where it is not looked at.
    fn strange_code(&mut self, contract: usize) -> Option<i64> {
        let now = self.now;
        let (count, last, until) = &mut self.contracts[contract].strange_codes;
        if now - *last > 24 * 3600 {
            *count = 0;
        }
        if *until > now {
            return Some(*until - now);
        }
        (*count, *last) = (*count + 1, now);
        if *count >= 10 {
            *until = now + (30 << (*count - 10).min(7)).min(3600);
        }
        None
    }

    /// Carries an authorised form out; none where this is not what was answered.
    pub(in crate::model::bank) fn carry_out(
        &self,
        form: &Form,
        answered: Option<&Answer>,
    ) -> Option<Self> {
        let mut after = self.clone();
        if let Some((_, answer)) = &self.pages[&form.page].end {
            return answered.is_none_or(|seen| seen == answer).then_some(after);
        }
        let mut refusals = self.refusals(form.contract, &form.order);
        let own = &self.contracts[form.contract];
        match form.order {
            Order::Change { begun, .. } if !self.is_begun(form.contract, begun) => {
                refusals.push(Refusal::ChangeNotBegun);
            }
            Order::Login if self.pages[&form.page].over => refusals.push(Refusal::Expired),
            Order::LossStop { .. } if own.token.is_none() => refusals.extend([
                Refusal::NeedsRegistration,
                Refusal::NeedsRelease,
                Refusal::Unchanged,
            ]),
            _ => {}
        }
        let may_be: Vec<_> = if refusals.is_empty() {
            vec![after.effect(form)]
        } else {
            refusals.into_iter().map(Answer::Refused).collect()
        };
        let answer = match answered {
            Some(seen) => may_be.into_iter().find(|answer| answer == seen)?,
            None => may_be.into_iter().next()?,
        };
        let page = after.pages.get_mut(&form.page).unwrap();
        page.end = Some((self.now, answer));
        Some(after)
    }

    /// Whether the old token proved itself on that page, a short while ago.
    fn is_begun(&self, contract: usize, begun: u32) -> bool {
        self.pages.get(&begun).is_some_and(|page| {
            let done =
                matches!(&page.end, Some((at, Answer::Done { .. })) if self.now - at < PAGE_OPEN);
            done && page.proved.is_some() && page.proved == self.contracts[contract].token
        })
    }

    fn effect(&mut self, form: &Form) -> Answer {
        let (now, today) = (self.now, self.today());
        let own = &mut self.contracts[form.contract];
        let (mut effective_on, mut caution_until) = (None, None);
        match form.order {
            Order::Login => {}
            Order::Register { token } | Order::Change { token, .. } => {
                // B3: from a registration on login asks; a change leaves the setting as it is.
                own.asks |= matches!(form.order, Order::Register { .. });
                own.token = Some((token, now));
                caution_until = Some(now + CAUTION);
            }
            Order::StopUse => own.token = None,
            Order::ChangeBegin => {
                let proved = own.token;
                self.pages.get_mut(&form.page).unwrap().proved = proved;
            }
            Order::LoginSetting { asks } => own.asks = asks,
            Order::Transfer { day, .. } => {
                let state = if day == today {
                    self.send(form.contract, &form.order);
                    Sending::Sent
                } else {
                    Sending::Reserved
                };
                let transfer = Transfer {
                    contract: form.contract,
                    order: form.order,
                    state,
                };
                self.transfers.insert(form.page, transfer);
                effective_on = Some(day);
            }
            Order::Internal { from, to, amount } => {
                self.balances[from] -= amount;
                self.balances[to] += amount;
            }
            Order::Limit { to } => {
                let from = today + i64::from(to > self.limit(form.contract, today));
                self.contracts[form.contract].limits.push((from, to));
                effective_on = Some(from);
            }
            Order::Cancel { page } => {
                self.transfers.get_mut(&page).unwrap().state = Sending::Cancelled;
            }
            Order::LossStop { stolen } => {
                let loss = if stolen { Loss::Stolen } else { Loss::Lost };
                self.lose(form.contract, loss);
            }
        }
        Answer::Done {
            effective_on,
            caution_until,
        }
    }
}

fn step_of(refusal: Option<CodeRefusal>) -> Step {
    match refusal {
        None => Step::Authorised,
        Some(refusal) => Step::Answered(vec![Answer::Code(refusal)]),
    }
}

fn refusal_of(answer: warifu_wire::ValidateAnswer, now: i64) -> Option<CodeRefusal> {
    use warifu_wire::ValidateAnswer as Said;
    Some(match answer {
        Said::Accepted => return None,
        Said::Rejected { tries_left } => CodeRefusal::Wrong { tries_left },
        Said::Replayed => CodeRefusal::Used {
            wait_seconds: u8::try_from(30 - (now + 15).rem_euclid(30)).unwrap(),
        },
        Said::Locked => CodeRefusal::Locked,
        Said::Stopped => CodeRefusal::Stopped,
        Said::ResyncNeeded => CodeRefusal::ClockOff,
    })
}
