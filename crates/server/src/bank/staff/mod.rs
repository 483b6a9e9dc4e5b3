//! What the bank's staff do (rules F1 to F5).

mod contracts;
mod decisions;
mod sign_in;

use warifu_bank::session::SessionKey;
use warifu_bank::staff::Role;

pub use contracts::{ContractView, NewContract, Opened};
pub use decisions::Decided;
pub use sign_in::{StaffCode, StaffSignIn};

/// A member of the staff who is signed in.
#[derive(Debug, Clone)]
pub struct Member {
    /// The login name.
    pub name: String,
    /// The name that pages show.
    pub display_name: String,
    /// What he may do.
    pub role: Role,
    /// His session.
    pub session: SessionKey,
    /// His network address, for the trail.
    pub address: String,
}

impl Member {
    /// Who he is in a contract's trail.
    #[must_use]
    pub fn actor(&self) -> String {
        format!("staff:{}", self.name)
    }
}
