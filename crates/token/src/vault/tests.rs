use std::fs;
use std::path::Path;

use jiff::Timestamp;
use tempfile::TempDir;
use zeroize::Zeroizing;

use super::*;
use crate::edge::tests::StillEdge;
use crate::key_store::tests::mock_store;
use crate::passphrase::tests::passphrase;
use crate::{Contact, OsKeyStore, Secret};

const SECRET: [u8; 32] = [0xa7; 32];

fn contents() -> Contents {
    Contents {
        secret: Secret::from_bytes(Zeroizing::new(SECRET)),
        details: Details {
            credential_id: "WRCA12345671".parse().unwrap(),
            service: "https://token.example.com".parse().unwrap(),
            registered_at: Timestamp::UNIX_EPOCH,
            contact: Contact {
                offset_ms: 42,
                at: Timestamp::UNIX_EPOCH,
            },
        },
    }
}

/// A vault whose key is in a mock of the system's key store, which costs no Argon2.
fn written(folder: &Path) -> (Vault, OsKeyStore, VaultKey) {
    let edge = StillEdge::at(0);
    let vault = Vault::at(folder.join("deep/down/token.vault"));
    let store = mock_store();
    let key = VaultKey::from_bytes(Zeroizing::new([9; 32]));
    let slot = KeySlot::in_store(&store, &key, &edge).unwrap();
    let line = Header::new(contents().details.credential_id, slot)
        .to_line()
        .unwrap();
    let lock = vault.lock().unwrap();
    vault.write(&lock, &line, &key, &contents(), &edge).unwrap();
    (vault, store, key)
}

#[test]
fn what_is_written_is_read_again() {
    let folder = TempDir::new().unwrap();
    let (vault, _store, key) = written(folder.path());
    let opened = vault.load().unwrap().open(&key).unwrap();
    assert_eq!(opened.details, contents().details);
    assert_eq!(opened.secret.bytes(), &SECRET);
}

#[test]
fn the_file_holds_no_clear_secret_and_no_other_file_stays() {
    let folder = TempDir::new().unwrap();
    let (vault, ..) = written(folder.path());
    let bytes = fs::read(vault.path()).unwrap();
    assert!(!bytes.windows(4).any(|window| window == &SECRET[..4]));
    let mut names: Vec<_> = fs::read_dir(vault.path().parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["token.vault", "token.vault.lock"]);
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_file_and_folder_even_over_a_loose_leftover() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let (vault, _store, key) = written(folder.path());
    let leftover = vault.path().with_extension("vault.new");
    fs::write(&leftover, "half a vault").unwrap();
    fs::set_permissions(&leftover, fs::Permissions::from_mode(0o666)).unwrap();
    let line = vault.load().unwrap().line;
    let lock = vault.lock().unwrap();
    vault
        .write(&lock, &line, &key, &contents(), &StillEdge::at(0))
        .unwrap();
    assert_eq!(vault.mode().unwrap(), Some(0o600));
    let parent = fs::metadata(vault.path().parent().unwrap()).unwrap();
    assert_eq!(parent.permissions().mode() & 0o777, 0o700);
    assert!(!leftover.exists());
}

#[test]
fn no_byte_can_be_changed_and_none_cut_off_unnoticed() {
    let folder = TempDir::new().unwrap();
    let (vault, _store, key) = written(folder.path());
    let sound = fs::read(vault.path()).unwrap();
    let is_refused = |bytes: &[u8]| {
        fs::write(vault.path(), bytes).unwrap();
        let outcome = vault.load().and_then(|sealed| sealed.open(&key));
        matches!(
            outcome,
            Err(VaultError::Damaged | VaultError::FromTheFuture { .. })
        )
    };
    for place in 0..sound.len() {
        let mut changed = sound.clone();
        changed[place] ^= 1;
        assert!(is_refused(&changed), "byte {place} changed");
        assert!(is_refused(&sound[..place]), "cut to {place} bytes");
    }
    let mut longer = sound.clone();
    longer.push(0);
    assert!(is_refused(&longer), "a byte more");
    assert!(is_refused(&vec![b'{'; 70_000]), "a file too large");
}

#[test]
fn a_newer_format_is_told_from_damage() {
    let folder = TempDir::new().unwrap();
    let (vault, ..) = written(folder.path());
    fs::write(
        vault.path(),
        "{\"warifu_token_vault\":7,\"new\":[]}\nwhatever",
    )
    .unwrap();
    assert!(matches!(
        vault.header(),
        Err(VaultError::FromTheFuture { version: 7 })
    ));
}

#[test]
fn a_key_under_a_passphrase_comes_back_with_that_passphrase_alone() {
    let edge = StillEdge::at(0);
    let key = VaultKey::from_bytes(Zeroizing::new([9; 32]));
    let slot = KeySlot::under(&passphrase("correct horse"), &key, &edge).unwrap();
    assert_eq!(
        slot.unwrap_with(&passphrase("correct horse"))
            .unwrap()
            .bytes(),
        key.bytes()
    );
    let wrong = slot.unwrap_with(&passphrase("correct h0rse"));
    assert!(matches!(wrong, Err(VaultError::WrongPassphrase)));
}

#[test]
fn a_header_that_asks_for_an_absurd_cost_is_damaged_not_obeyed() {
    let edge = StillEdge::at(0);
    let key = VaultKey::from_bytes(Zeroizing::new([9; 32]));
    let mut slot = KeySlot::under(&passphrase("correct horse"), &key, &edge).unwrap();
    if let KeySlot::Passphrase { memory_kib, .. } = &mut slot {
        *memory_kib = u32::MAX;
    }
    assert!(matches!(
        slot.unwrap_with(&passphrase("correct horse")),
        Err(VaultError::Damaged)
    ));
}

#[test]
fn one_instance_holds_the_lock_at_a_time() {
    let folder = TempDir::new().unwrap();
    let vault = Vault::at(folder.path().join("token.vault"));
    let lock = vault.lock().unwrap();
    assert!(vault.try_lock().unwrap().is_none());
    drop(lock);
    assert!(vault.try_lock().unwrap().is_some());
}

#[test]
fn a_place_that_cannot_be_looked_at_is_not_taken_for_an_empty_one() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    // A file where a folder should be: the system answers with an error, not with "no".
    assert!(Vault::at(file.join("token.vault")).exists().is_err());
}
