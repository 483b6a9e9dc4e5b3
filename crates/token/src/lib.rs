//! The core of the Warifu token app, without a screen: first start, sealed vault, codes and clock.
//!
//! - [`first_start`] registers the token with its service, once (rules T1 and T5).
//! - [`Vault`] is the file that holds the credential, sealed under a key in the operating system's
//!   key store or under a passphrase.
//! - [`Token`] is an opened vault: it shows codes with no network (rule T3), by a clock corrected
//!   for what the service last said (rule T6).
//!
//! Time and random bytes come in through [`Edge`]; the command line in `src/cli` and a desktop
//! shell are thin layers over this.

mod address;
#[cfg(feature = "session")]
pub mod clipboard;
mod clock;
mod codes;
mod credential;
mod edge;
mod first_start;
mod key_store;
mod passphrase;
mod remove;
mod secret;
mod service;
#[cfg(feature = "session")]
pub mod session;
mod token;
mod vault;

pub use address::{AddressError, ServiceAddress};
pub use clock::{Contact, Measured, WARN_ABOVE, measure};
pub use codes::{Codes, CodesError};
pub use credential::{CredentialId, CredentialIdError};
pub use edge::{Edge, NoEntropy, SystemEdge};
pub use first_start::{FirstStartError, Keeper, first_start};
pub use key_store::{KeyStoreError, OsKeyStore};
pub use passphrase::{MIN_PASSPHRASE_CHARS, Passphrase, PassphraseError};
pub use remove::{KeyLeft, remove};
pub use secret::{DeviceKey, Secret, SecretError};
#[doc(hidden)]
pub use service::read_answer;
pub use service::{HttpService, Service, ServiceError};
pub use token::{ContactKeeper, Kept, OpenError, Token};
#[doc(hidden)]
pub use vault::read_vault;
pub use vault::{Header, KeySlot, Lock, Vault, VaultError};
pub use warifu_oath::Code;
pub use warifu_wire::Platform;
