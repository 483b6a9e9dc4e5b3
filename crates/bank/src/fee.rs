//! 振込手数料: what a transfer costs (rule M4).

use serde::Deserialize;

use crate::yen::Yen;

/// Fees by where the money goes and how much it is, yen with tax.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FeeTable {
    /// Transfers of at least this much cost the higher fee.
    pub step: i64,
    /// To an account of this bank, below the step.
    pub same_bank: i64,
    /// To an account of this bank, from the step on.
    pub same_bank_large: i64,
    /// To another bank, below the step.
    pub other_bank: i64,
    /// To another bank, from the step on.
    pub other_bank_large: i64,
}

impl Default for FeeTable {
    fn default() -> Self {
        Self {
            step: 30_000,
            same_bank: 0,
            same_bank_large: 0,
            other_bank: 165,
            other_bank_large: 330,
        }
    }
}

impl FeeTable {
    /// What a transfer of `amount` costs.
    #[must_use]
    pub fn fee(&self, to_this_bank: bool, amount: Yen) -> Yen {
        Yen(match (to_this_bank, amount.0 >= self.step) {
            (true, false) => self.same_bank,
            (true, true) => self.same_bank_large,
            (false, false) => self.other_bank,
            (false, true) => self.other_bank_large,
        })
    }

    /// Whether every fee can be charged: none below zero.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        [
            self.same_bank,
            self.same_bank_large,
            self.other_bank,
            self.other_bank_large,
        ]
        .iter()
        .all(|fee| (0..=100_000).contains(fee))
            && self.step > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fee_steps_up_at_the_amount_itself() {
        let table = FeeTable::default();
        assert_eq!(table.fee(true, Yen(1_000_000)), Yen(0));
        assert_eq!(table.fee(false, Yen(29_999)), Yen(165));
        assert_eq!(table.fee(false, Yen(30_000)), Yen(330));
        assert!(table.is_sound());
        assert!(
            !FeeTable {
                same_bank: -1,
                ..table
            }
            .is_sound()
        );
    }
}
