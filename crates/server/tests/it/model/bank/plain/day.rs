//! What is not on a page: money that comes and goes by day, and the staff's steps.

use super::{Loss, Model, Order, Sending, Transfer, fee};

impl Model {
    pub(super) fn send(&mut self, contract: usize, order: &Order) {
        let &Order::Transfer {
            from, to, amount, ..
        } = order
        else {
            return;
        };
        self.balances[from] -= amount + fee(order);
        if let Some(to) = to {
            self.balances[to] += amount;
        }
        let today = self.today();
        *self.contracts[contract].used.entry(today).or_default() += amount;
    }

    pub(super) fn lose(&mut self, contract: usize, loss: Loss) {
        let own = &mut self.contracts[contract];
        own.loss = Some(loss);
        if let Some((token, _)) = own.token.take() {
            own.last_stopped = Some(token);
            let reason = match loss {
                Loss::Stolen => warifu_wire::StopReason::Stolen,
                Loss::Lost | Loss::Broken => warifu_wire::StopReason::Lost,
            };
            self.tokens[token].stop(0, reason);
        }
        for page in self.pages.values_mut() {
            page.over |= page.contract == contract;
        }
        for transfer in self.transfers.values_mut() {
            if transfer.contract == contract && transfer.state == Sending::Reserved {
                transfer.state = Sending::Cancelled;
            }
        }
    }

    /// Staff stop a token; whether anything changed.
    pub(in crate::model::bank) fn staff_stop(&mut self, contract: usize, loss: Loss) -> bool {
        let stops = match self.contracts[contract].loss {
            None => true,
            Some(held) => held != Loss::Stolen && loss == Loss::Stolen,
        };
        if stops {
            self.lose(contract, loss);
        }
        stops
    }

    /// Two of the staff release a contract after a loss; whether it was to be released.
    pub(in crate::model::bank) fn release(&mut self, contract: usize) -> bool {
        let own = &mut self.contracts[contract];
        let Some(loss) = own.loss.take() else {
            return false;
        };
        if let Some(token) = own.last_stopped.filter(|_| loss != Loss::Stolen) {
            self.tokens[token].enable(0);
        }
        true
    }

    /// Two of the staff unlock the token in use; whether there is one.
    pub(in crate::model::bank) fn unlock(&mut self, contract: usize) -> bool {
        let Some((token, _)) = self.contracts[contract].token else {
            return false;
        };
        self.tokens[token].wrong[0] = 0;
        true
    }

    /// The same number books once.
    pub(in crate::model::bank) fn deposit(&mut self, number: u32, account: usize, amount: i64) {
        self.next = self.next.max(number + 1);
        if self.deposits.insert(number) {
            self.balances[account] += amount;
        }
    }

    pub(in crate::model::bank) fn due(&self) -> Vec<u32> {
        let today = self.today();
        let due = |transfer: &Transfer| {
            transfer.state == Sending::Reserved
                && matches!(transfer.order, Order::Transfer { day, .. } if day <= today)
        };
        let found = self.transfers.iter().filter(|(_, transfer)| due(transfer));
        found.map(|(page, _)| *page).collect()
    }

    /// Sends everything that is due, in every order there is.
    pub(in crate::model::bank) fn send_due(&self) -> Vec<Self> {
        let due = self.due();
        if due.is_empty() {
            return vec![self.clone()];
        }
        let mut ends: Vec<Self> = Vec::new();
        for page in due {
            for end in self.send_one(page).send_due() {
                if !ends.contains(&end) {
                    ends.push(end);
                }
            }
        }
        ends
    }

    fn send_one(&self, page: u32) -> Self {
        let mut after = self.clone();
        let Transfer {
            contract, order, ..
        } = self.transfers[&page];
        let Order::Transfer { from, amount, .. } = order else {
            return after;
        };
        let today = self.today();
        let fits = amount <= self.cap(contract) - self.used(contract, today)
            && amount + fee(&order) <= self.balances[from];
        let state = if fits {
            after.send(contract, &order);
            Sending::Sent
        } else {
            Sending::NotSent
        };
        after.transfers.get_mut(&page).unwrap().state = state;
        after
    }
}
