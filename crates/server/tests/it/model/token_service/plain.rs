//! The token service as its rules tell it (S1 to S7, with docs/decisions/0007 and 0008): maps and arithmetic, no
//! concurrency, no database, no cryptography. A code is the number of its time step.

use std::collections::BTreeMap;

use warifu_wire::{
    EnableAnswer, RefusalReason, ResyncAnswer, StopAnswer, StopReason, UnlockAnswer, ValidateAnswer,
};

/// Relying parties.
pub(in crate::model) const PARTIES: usize = 2;

/// A code by what it is right for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::model) enum Code {
    /// The time step, counted from where the case begins.
    Of(i64),
    /// For none. The number tells two of them apart.
    Wrong(u8),
}

/// What is asked of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::model) enum Action {
    Validate(Code, &'static str),
    Resync(Code, Code),
    Stop(StopReason),
    Enable,
    Unlock,
}

/// A request; whoever asks again under the same number is to have the same answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::model) struct Request {
    pub(in crate::model) number: u32,
    pub(in crate::model) party: usize,
    pub(in crate::model) token: usize,
    pub(in crate::model) action: Action,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::model) enum Answer {
    Validate(ValidateAnswer),
    Resync(ResyncAnswer),
    Stop(StopAnswer),
    Enable(EnableAnswer),
    Unlock(UnlockAnswer),
    /// The number was used for another request.
    Reused,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::model) struct Token {
    /// Why, and by which party.
    pub(in crate::model) stopped: Option<(StopReason, usize)>,
    /// The newest step that is spent.
    pub(in crate::model) spent: Option<i64>,
    /// When it was, in seconds.
    pub(in crate::model) spent_at: Option<i64>,
    /// Steps.
    pub(in crate::model) drift: i64,
    /// Wrong codes in a row.
    pub(in crate::model) wrong: [u8; PARTIES],
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::model) struct Model {
    /// Seconds since the case began, which is in the middle of step 0.
    pub(in crate::model) now: i64,
    pub(in crate::model) tokens: Vec<Token>,
    answered: BTreeMap<(usize, u32), (Request, Answer)>,
    /// The next number that no request has.
    pub(in crate::model) next: u32,
}

impl Model {
    pub(in crate::model) fn new() -> Self {
        Self {
            now: 0,
            tokens: vec![Token::default()],
            answered: BTreeMap::new(),
            next: 0,
        }
    }

    pub(in crate::model) fn step(&self) -> i64 {
        (self.now + 15).div_euclid(30)
    }

    /// Requests that have an answer.
    pub(in crate::model) fn asked(&self) -> Vec<Request> {
        self.answered
            .values()
            .map(|(request, _)| *request)
            .collect()
    }

    pub(in crate::model) fn ask(&mut self, request: &Request) -> Answer {
        self.next = self.next.max(request.number + 1);
        let name = (request.party, request.number);
        if let Some((before, answer)) = self.answered.get(&name) {
            return if before == request {
                *answer
            } else {
                Answer::Reused
            };
        }
        let (now, step) = (self.now, self.step());
        let token = &mut self.tokens[request.token];
        let answer = match request.action {
            Action::Validate(code, _) => {
                Answer::Validate(token.validate(request.party, code, step, now))
            }
            Action::Resync(first, second) => {
                Answer::Resync(token.resync(request.party, first, second, step, now))
            }
            Action::Stop(reason) => Answer::Stop(token.stop(request.party, reason)),
            Action::Enable => Answer::Enable(token.enable(request.party)),
            Action::Unlock => {
                token.wrong[request.party] = 0;
                Answer::Unlock(UnlockAnswer::Unlocked)
            }
        };
        self.answered.insert(name, (*request, answer));
        answer
    }
}

impl Token {
    fn is_spent(&self, step: i64) -> bool {
        self.spent.is_some_and(|spent| step <= spent)
    }

    fn spend(&mut self, party: usize, step: i64, now: i64) {
        (self.spent, self.spent_at) = (Some(step), Some(now));
        self.wrong[party] = 0;
    }

    /// Counts a wrong code, and tells how many are left.
    fn count(&mut self, party: usize) -> u8 {
        self.wrong[party] += 1;
        5 - self.wrong[party]
    }

    pub(in crate::model) fn validate(
        &mut self,
        party: usize,
        code: Code,
        now_step: i64,
        now: i64,
    ) -> ValidateAnswer {
        if self.stopped.is_some() {
            return ValidateAnswer::Stopped;
        }
        if self.wrong[party] == 5 {
            return ValidateAnswer::Locked;
        }
        let seen = match code {
            Code::Of(step) => step - now_step,
            Code::Wrong(_) => i64::MAX,
        };
        let near = seen != i64::MAX && (seen - self.drift).abs() <= 1;
        if !near && !(-20..=20).contains(&seen) {
            let tries_left = self.count(party);
            return ValidateAnswer::Rejected { tries_left };
        }
        if self.is_spent(now_step + seen) {
            return ValidateAnswer::Replayed;
        }
        if !near {
            return ValidateAnswer::ResyncNeeded;
        }
        self.spend(party, now_step + seen, now);
        // 0007: what only a resync may teach may shrink, never grow.
        let bound = self.drift.abs().max(10);
        self.drift = seen.clamp(-bound, bound);
        ValidateAnswer::Accepted
    }

    fn resync(
        &mut self,
        party: usize,
        first: Code,
        second: Code,
        now_step: i64,
        now: i64,
    ) -> ResyncAnswer {
        if self.stopped.is_some() {
            return ResyncAnswer::Stopped;
        }
        if self.wrong[party] == 5 {
            return ResyncAnswer::Locked;
        }
        match (first, second) {
            (Code::Of(first), Code::Of(second))
                if second == first + 1 && first >= now_step - 20 && second <= now_step + 20 =>
            {
                if self.is_spent(first) {
                    return ResyncAnswer::Replayed;
                }
                self.spend(party, second, now);
                self.drift = second - now_step;
                ResyncAnswer::Resynchronised {
                    drift: i16::try_from(self.drift).unwrap(),
                }
            }
            _ => ResyncAnswer::Rejected {
                tries_left: self.count(party),
            },
        }
    }

    pub(in crate::model) fn stop(&mut self, party: usize, reason: StopReason) -> StopAnswer {
        match self.stopped {
            Some((held, _)) if held == StopReason::Stolen || reason != StopReason::Stolen => {
                StopAnswer::Stopped { reason: held }
            }
            _ => {
                self.stopped = Some((reason, party));
                StopAnswer::Stopped { reason }
            }
        }
    }

    pub(in crate::model) fn enable(&mut self, party: usize) -> EnableAnswer {
        let reason = match self.stopped {
            Some((StopReason::Stolen, _)) => RefusalReason::Stolen,
            Some((_, by)) if by != party => RefusalReason::StoppedByAnother,
            _ => {
                self.stopped = None;
                return EnableAnswer::Enabled;
            }
        };
        EnableAnswer::Refused { reason }
    }
}
