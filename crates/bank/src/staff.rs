//! The bank's staff: who may do what, and what takes two (rules F1, F5).

/// A role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// 窓口: serves customers, asks for what takes two.
    Teller,
    /// 承認: decides what another asked for; serves customers too.
    Approver,
    /// 監査: reads only.
    Auditor,
}

/// What staff do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Look at contracts, trails and mails.
    Look,
    /// Open a contract, book a deposit, re-issue a password.
    Serve,
    /// Stop a token (F4).
    StopToken,
    /// Ask for what takes two persons.
    Ask,
    /// Decide what another asked for.
    Decide,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Teller, Self::Approver, Self::Auditor];

    /// The word that is stored.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Teller => "teller",
            Self::Approver => "approver",
            Self::Auditor => "auditor",
        }
    }

    /// From the word that is stored.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }

    /// Whether a role may do this: one match over both.
    #[must_use]
    pub fn may(self, act: Act) -> bool {
        match (self, act) {
            (_, Act::Look) => true,
            (Self::Teller | Self::Approver, Act::Serve | Act::StopToken | Act::Ask) => true,
            (Self::Approver, Act::Decide) => true,
            (Self::Teller, Act::Decide) | (Self::Auditor, _) => false,
        }
    }
}

/// What takes two persons: one asks, another decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApprovalKind {
    /// A new token may be registered after a loss (B7).
    Release,
    /// Wrong codes of a token are forgotten (S5).
    Unlock,
    /// The customer's emergency stop ends (B13).
    LiftEmergencyStop,
    /// A booking is reversed (M1).
    Reverse,
}

impl ApprovalKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [
        Self::Release,
        Self::Unlock,
        Self::LiftEmergencyStop,
        Self::Reverse,
    ];

    /// The word that is stored.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Unlock => "unlock",
            Self::LiftEmergencyStop => "lift-emergency-stop",
            Self::Reverse => "reverse",
        }
    }

    /// From the word that is stored.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// Whether this member may decide what that one asked for: never his own.
#[must_use]
pub fn may_decide(decider: &str, role: Role, asked_by: &str) -> bool {
    role.may(Act::Decide) && decider != asked_by
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_auditor_only_reads_and_a_teller_decides_nothing() {
        for act in [Act::Serve, Act::StopToken, Act::Ask, Act::Decide] {
            assert!(!Role::Auditor.may(act));
        }
        assert!(Role::Auditor.may(Act::Look));
        assert!(Role::Teller.may(Act::StopToken) && !Role::Teller.may(Act::Decide));
        assert!(Role::Approver.may(Act::Decide));
    }

    #[test]
    fn nobody_decides_what_he_asked_for_himself() {
        assert!(may_decide("b", Role::Approver, "a"));
        assert!(!may_decide("a", Role::Approver, "a"));
        assert!(!may_decide("b", Role::Teller, "a"));
    }

    #[test]
    fn words_are_read_back() {
        for role in Role::ALL {
            assert_eq!(Role::from_word(role.word()), Some(role));
        }
        for kind in ApprovalKind::ALL {
            assert_eq!(ApprovalKind::from_word(kind.word()), Some(kind));
        }
    }
}
