//! What a thief of the disk would look for: the vault is opened here as its format is written down
//! (`crates/token/src/vault/mod.rs`), apart from the program, and everything that was written is searched.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use data_encoding::{
    BASE32, BASE32_NOPAD, BASE64, BASE64_NOPAD, BASE64URL_NOPAD, Encoding, HEXLOWER, HEXUPPER,
};
use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::Sha256;

/// What must lie nowhere.
pub(crate) struct Secrets {
    pub(crate) secret: [u8; 32],
    vault_key: [u8; 32],
    passphrase: Vec<u8>,
}

fn field(slot: &Value, name: &str) -> Vec<u8> {
    BASE64URL_NOPAD
        .decode(slot[name].as_str().unwrap().as_bytes())
        .unwrap()
}

fn opened(key: &[u8], nonce: &[u8], aad: &[u8], sealed: &[u8]) -> Vec<u8> {
    let nonce: [u8; 24] = nonce.try_into().unwrap();
    XChaCha20Poly1305::new_from_slice(key)
        .unwrap()
        .decrypt(&XNonce::from(nonce), Payload { msg: sealed, aad })
        .unwrap()
}

impl Secrets {
    /// What the vault at `path` holds, with its passphrase.
    pub(crate) fn of(path: &Path, passphrase: &str) -> Self {
        let file = fs::read(path).unwrap();
        let end = file.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        let (line, body) = file.split_at(end);
        let slot = &serde_json::from_slice::<Value>(line).unwrap()["key"];
        let number = |name: &str| u32::try_from(slot[name].as_u64().unwrap()).unwrap();
        let cost = Params::new(
            number("memory_kib"),
            number("passes"),
            number("lanes"),
            Some(32),
        );
        let mut stretched = [0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, cost.unwrap())
            .hash_password_into(passphrase.as_bytes(), &field(slot, "salt"), &mut stretched)
            .unwrap();
        let context = b"warifu-token vault key v1";
        let vault_key = opened(
            &stretched,
            &field(slot, "nonce"),
            context,
            &field(slot, "wrapped"),
        );
        let contents = opened(&vault_key, &body[..24], line, &body[24..]);
        Self {
            secret: contents[..32].try_into().unwrap(),
            vault_key: vault_key.try_into().unwrap(),
            passphrase: passphrase.as_bytes().to_vec(),
        }
    }

    /// RFC 6238 once more, so that the program is not measured with its own rule.
    pub(crate) fn codes_now(&self) -> [String; 2] {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        [now / 30, now / 30 + 1].map(|step| {
            let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.secret).unwrap();
            mac.update(&step.to_be_bytes());
            let tag = mac.finalize().into_bytes();
            let offset = usize::from(tag[31] & 15);
            let word: [u8; 4] = tag[offset..offset + 4].try_into().unwrap();
            format!(
                "{:06}",
                (u32::from_be_bytes(word) & 0x7fff_ffff) % 1_000_000
            )
        })
    }

    /// Half of each in every writing is enough to be found.
    fn needles(&self) -> Vec<Vec<u8>> {
        let mut needles = vec![self.passphrase.clone()];
        for secret in [&self.secret, &self.vault_key] {
            needles.push(secret[..16].to_vec());
            needles.push(secret[16..].to_vec());
            for writing in writings() {
                let text = writing.encode(secret);
                needles.push(text.as_bytes()[..16].to_vec());
                needles.push(text.to_lowercase().as_bytes()[..16].to_vec());
            }
            let numbers: Vec<String> = secret.iter().take(16).map(u8::to_string).collect();
            needles.push(numbers.join(",").into_bytes());
        }
        // UTF-16 is how a web view keeps strings.
        let wide: Vec<Vec<u8>> = needles
            .iter()
            .filter_map(|needle| std::str::from_utf8(needle).ok())
            .map(|text| text.encode_utf16().flat_map(u16::to_le_bytes).collect())
            .collect();
        needles.extend(wide);
        needles
    }

    /// The files below `folder` that hold one of them, and how many files were looked at.
    pub(crate) fn found_below(&self, folder: &Path) -> (Vec<PathBuf>, usize) {
        let needles = self.needles();
        let files = files(folder);
        let count = files.len();
        let holds = |path: &PathBuf| {
            let bytes = fs::read(path).unwrap_or_default();
            needles.iter().any(|needle| contains(&bytes, needle))
        };
        (files.into_iter().filter(holds).collect(), count)
    }
}

fn writings() -> [Encoding; 7] {
    [
        BASE32,
        BASE32_NOPAD,
        BASE64,
        BASE64_NOPAD,
        BASE64URL_NOPAD,
        HEXLOWER,
        HEXUPPER,
    ]
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

/// Whether some file below `folder` holds `text`.
pub(crate) fn lies_below(folder: &Path, text: &str) -> bool {
    let holds = |path: &PathBuf| contains(&fs::read(path).unwrap_or_default(), text.as_bytes());
    files(folder).iter().any(holds)
}

/// Every regular file; a socket has nothing to read.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(files(&entry.path())),
            Ok(kind) if kind.is_file() => found.push(entry.path()),
            _ => {}
        }
    }
    found
}

#[test]
fn the_search_finds_a_secret_in_every_writing() {
    let secrets = Secrets {
        secret: std::array::from_fn(|place| u8::try_from(place * 7 + 1).unwrap()),
        vault_key: [0xc3; 32],
        passphrase: b"correct horse battery".to_vec(),
    };
    let folder = tempfile::TempDir::new().unwrap();
    let place = folder.path().join("deep/inside");
    fs::create_dir_all(&place).unwrap();
    let wide = |text: &str| {
        text.encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect::<Vec<u8>>()
    };
    let mut planted = vec![
        secrets.secret.to_vec(),
        secrets.vault_key.to_vec(),
        secrets.passphrase.clone(),
        wide("correct horse battery"),
        format!("{:?}", secrets.secret)
            .replace(' ', "")
            .into_bytes(),
    ];
    for writing in writings() {
        planted.push(writing.encode(&secrets.secret).into_bytes());
        planted.push(wide(&writing.encode(&secrets.vault_key)));
    }
    for bytes in planted {
        let surrounded = [b"before ".as_slice(), &bytes, b" after"].concat();
        fs::write(place.join("file"), surrounded).unwrap();
        assert_eq!(secrets.found_below(folder.path()).0.len(), 1, "{bytes:?}");
    }
    fs::write(place.join("file"), "nothing of the kind").unwrap();
    assert_eq!(secrets.found_below(folder.path()), (Vec::new(), 1));
}
