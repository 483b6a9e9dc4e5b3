use std::cell::Cell;
use std::fs;

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use warifu_wire::{Base64Url, TimeAnswer};

use super::*;
use crate::edge::tests::StillEdge;
use crate::key_store::tests::mock_store;
use crate::{Contact, Kept, OpenError, OsKeyStore};

const NOW: i64 = 1_775_001_600;

/// A service in memory whose clock is 95 s ahead of the device's.
struct Desk<'a> {
    answer: ProvisionAnswer,
    asked: Cell<u32>,
    meanwhile: &'a dyn Fn(),
}

impl Service for Desk<'_> {
    fn provision(&self, _request: &ProvisionRequest) -> Result<ProvisionAnswer, ServiceError> {
        self.asked.set(self.asked.get() + 1);
        (self.meanwhile)();
        Ok(self.answer.clone())
    }

    fn time(&self) -> Result<TimeAnswer, ServiceError> {
        Err(ServiceError::NotUnderstood)
    }
}

fn desk(meanwhile: &dyn Fn()) -> Desk<'_> {
    let answer = ProvisionAnswer {
        credential_id: "WRCA12345671".to_owned(),
        service_public_key: Base64Url([9; 32]),
        algorithm: Algorithm::Sha256,
        digits: 6,
        period: 30,
        service_time: Timestamp::from_second(NOW + 95).unwrap(),
    };
    Desk {
        answer,
        asked: Cell::new(0),
        meanwhile,
    }
}

struct Place {
    _folder: TempDir,
    vault: Vault,
    store: OsKeyStore,
    edge: StillEdge,
}

impl Place {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let vault = Vault::at(folder.path().join("token.vault"));
        Self {
            _folder: folder,
            vault,
            store: mock_store(),
            edge: StillEdge::at(NOW),
        }
    }

    fn start(&self, desk: &Desk<'_>) -> Result<Token, FirstStartError> {
        let address = "https://token.example.com".parse().unwrap();
        let lock = self.vault.lock().unwrap();
        let keeper = Keeper::OsKeyStore(&self.store);
        first_start(
            &self.vault,
            &lock,
            &keeper,
            (&address, desk),
            Platform::Cli,
            &self.edge,
        )
    }

    fn open(&self) -> Result<Token, OpenError> {
        Token::open(
            &self.vault,
            || Ok(self.store.clone()),
            || Err(OpenError::PassphraseNeeded),
        )
    }
}

#[test]
fn a_registered_token_is_the_same_token_after_a_restart() {
    let place = Place::new();
    let fresh = place.start(&desk(&|| {})).unwrap();
    let again = place.open().unwrap();
    assert_eq!(again.id().as_str(), "WRCA12345671");
    assert_eq!(again.service().as_str(), "https://token.example.com");
    assert_eq!(
        again.codes(place.edge.now).unwrap(),
        fresh.codes(place.edge.now).unwrap()
    );
}

#[test]
fn the_offset_learned_at_the_first_start_corrects_the_codes() {
    let place = Place::new();
    let mut token = place.start(&desk(&|| {})).unwrap();
    assert_eq!(token.contact().offset(), SignedDuration::from_secs(95));
    let by_slow_clock = token.codes(place.edge.now).unwrap();
    token.learn(Contact {
        offset_ms: 0,
        at: place.edge.now,
    });
    let by_right_clock = token
        .codes(place.edge.now + SignedDuration::from_secs(95))
        .unwrap();
    assert_eq!(by_slow_clock, by_right_clock);
}

#[test]
fn where_a_vault_is_nothing_is_registered() {
    let place = Place::new();
    fs::write(place.vault.path(), "").unwrap();
    let desk = desk(&|| {});
    assert!(matches!(
        place.start(&desk),
        Err(FirstStartError::AlreadyHere)
    ));
    assert_eq!(desk.asked.get(), 0);
}

#[test]
fn a_token_that_cannot_be_stored_is_called_void_and_leaves_nothing() {
    let place = Place::new();
    // Meanwhile something sits where the vault is to be written.
    let block = place.vault.path().with_extension("vault.new");
    let outcome = place.start(&desk(&|| fs::create_dir(&block).unwrap()));
    let Err(FirstStartError::Void { id, .. }) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(id.as_str(), "WRCA12345671");
    assert!(!place.vault.exists().unwrap());
}

#[test]
fn a_key_store_that_fails_costs_no_id() {
    let place = Place::new();
    let mock = keyring_core::mock::Store::new().unwrap();
    let store = OsKeyStore::over(mock.clone());
    let desk = desk(&|| {});
    let address = "https://token.example.com".parse().unwrap();
    let lock = place.vault.lock().unwrap();
    // The name of the entry comes from the edge's bytes; the mock fails for that entry.
    let entry = keyring_core::api::CredentialStoreApi::build(
        &*mock,
        "warifu-token",
        &format!("vault-{}", "02".repeat(16)),
        None,
    )
    .unwrap();
    let cred: &keyring_core::mock::Cred = entry.as_any().downcast_ref().unwrap();
    cred.set_error(keyring_core::Error::NoStorageAccess("locked".into()));
    let outcome = first_start(
        &place.vault,
        &lock,
        &Keeper::OsKeyStore(&store),
        (&address, &desk),
        Platform::Cli,
        &place.edge,
    );
    assert!(matches!(
        outcome,
        Err(FirstStartError::Vault(VaultError::KeyStore(
            KeyStoreError::Refused(_)
        )))
    ));
    assert_eq!(desk.asked.get(), 0);
    assert!(!place.vault.exists().unwrap());
}

#[test]
fn answers_that_this_token_cannot_use_are_refused() {
    let outcome = |change: &dyn Fn(&mut ProvisionAnswer)| {
        let mut desk = desk(&|| {});
        change(&mut desk.answer);
        let place = Place::new();
        let outcome = place.start(&desk);
        assert!(!place.vault.exists().unwrap());
        outcome.err().unwrap()
    };
    assert!(matches!(
        outcome(&|answer| answer.digits = 8),
        FirstStartError::OtherCodes
    ));
    assert!(matches!(
        outcome(&|answer| answer.period = 60),
        FirstStartError::OtherCodes
    ));
    assert!(matches!(
        outcome(&|answer| answer.algorithm = Algorithm::Sha1),
        FirstStartError::OtherCodes
    ));
    let zero = outcome(&|answer| answer.service_public_key = Base64Url([0; 32]));
    assert!(matches!(
        zero,
        FirstStartError::Secret(SecretError::WeakServiceKey)
    ));
    let odd = outcome(&|answer| answer.credential_id = "../../etc".to_owned());
    assert!(matches!(
        odd,
        FirstStartError::Service(ServiceError::NotUnderstood)
    ));
}

#[test]
fn a_later_contact_is_kept_for_the_next_start() {
    let place = Place::new();
    let token = place.start(&desk(&|| {})).unwrap();
    let contact = Contact {
        offset_ms: -7_000,
        at: place.edge.now,
    };
    let keeper = token.contact_keeper();
    let lock = place.vault.lock().unwrap();
    assert_eq!(keeper.keep(contact, &place.edge).unwrap(), Kept::Busy);
    drop(lock);
    assert_eq!(keeper.keep(contact, &place.edge).unwrap(), Kept::Stored);
    assert_eq!(place.open().unwrap().contact(), contact);
}

#[test]
fn a_removed_token_does_not_come_back_by_a_late_contact() {
    let place = Place::new();
    let token = place.start(&desk(&|| {})).unwrap();
    let lock = place.vault.lock().unwrap();
    place.vault.delete(&lock).unwrap();
    drop(lock);
    let contact = Contact {
        offset_ms: 0,
        at: place.edge.now,
    };
    assert_eq!(
        token.contact_keeper().keep(contact, &place.edge).unwrap(),
        Kept::Gone
    );
    assert!(!place.vault.exists().unwrap());
    assert!(matches!(
        place.open(),
        Err(OpenError::Vault(VaultError::Missing))
    ));
}
