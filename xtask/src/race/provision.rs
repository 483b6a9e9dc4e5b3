//! A fresh credential for every round.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD, HEXLOWER};
use hkdf::Hkdf;
use serde_json::Value;
use sha2::Sha256;
use ureq::Agent;
use x25519_dalek::{PublicKey, StaticSecret};

use super::adapter::{Adapter, Encoding, Format, Provision, Request};
use super::credential::Credential;
use super::http::{self, Ready, Values};

/// The longest that one credential is waited for when the server says "not so fast".
const PATIENCE: u32 = 600;

/// Makes credentials, one after the other.
pub(crate) struct Provisioner<'a> {
    adapter: &'a Adapter,
    url: &'a str,
    agent: Agent,
    enrolled: VecDeque<Credential>,
}

impl<'a> Provisioner<'a> {
    /// A provisioner at one address.
    pub(crate) fn new(adapter: &'a Adapter, url: &'a str) -> Result<Self> {
        let enrolled = match &adapter.provision {
            Provision::File { path, encoding } => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("reading {}", path.display()))?;
                enrolled(&text, *encoding)?
            }
            _ => VecDeque::new(),
        };
        Ok(Self {
            adapter,
            url,
            agent: http::agent(),
            enrolled,
        })
    }

    /// The next credential.
    pub(crate) fn next(&mut self) -> Result<Credential> {
        match &self.adapter.provision {
            Provision::Warifu => self.warifu(),
            Provision::Http { request, .. } => self.http(request),
            Provision::File { .. } => self
                .enrolled
                .pop_front()
                .context("there are fewer enrolled credentials than rounds"),
        }
    }

    fn warifu(&self) -> Result<Credential> {
        let own = StaticSecret::from(random::<32>()?);
        let public_key = BASE64URL_NOPAD.encode(PublicKey::from(&own).as_bytes());
        let request = Request {
            method: "POST".to_owned(),
            path: "/v1/credentials".to_owned(),
            headers: [].into(),
            format: Format::Json,
            body: [
                ("public_key".to_owned(), Value::from(public_key)),
                ("platform".to_owned(), Value::from("cli")),
            ]
            .into(),
        };
        let answer = self.ask(&request.fill(&Values::new())?)?;
        let id = text_at(&answer, "/credential_id")?;
        let theirs = text_at(&answer, "/service_public_key")?;
        let theirs = BASE64URL_NOPAD
            .decode(theirs.as_bytes())
            .map_err(|error| anyhow!("service_public_key: {error}"))?;
        let theirs: [u8; 32] = theirs
            .try_into()
            .map_err(|_| anyhow!("a service_public_key that has not 32 bytes"))?;
        let shared = own.diffie_hellman(&PublicKey::from(theirs));
        let secret = warifu_secret(shared.as_bytes(), &id)?;
        Ok(Credential { id, secret })
    }

    fn http(&self, request: &Request) -> Result<Credential> {
        let Provision::Http {
            id,
            secret,
            encoding,
            strip_prefix,
            ..
        } = &self.adapter.provision
        else {
            bail!("not an adapter with a request");
        };
        let own = random::<32>()?;
        let (hex, base32) = (HEXLOWER.encode(&own), BASE32_NOPAD.encode(&own));
        let values = Values::from([
            ("secret_hex", hex.as_str()),
            ("secret_base32", base32.as_str()),
        ]);
        let answer = self.ask(&request.fill(&values)?)?;
        let secret = match secret {
            None => own.to_vec(),
            Some(pointer) => {
                let text = text_at(&answer, pointer)?;
                let bare = text.strip_prefix(strip_prefix.as_str()).unwrap_or(&text);
                encoding.decode(bare)?
            }
        };
        let id = text_at(&answer, id)?;
        Ok(Credential { id, secret })
    }

    /// Sends a request until it is not answered by 429, which asks to wait.
    fn ask(&self, request: &Ready) -> Result<Value> {
        for _ in 0..PATIENCE {
            let reply = request.send(&self.agent, self.url)?;
            match reply.status {
                200..=299 => return serde_json::from_str(&reply.body).context("its answer"),
                429 => {
                    let wait = reply.retry_after.unwrap_or(Duration::from_secs(1));
                    std::thread::sleep(
                        wait.clamp(Duration::from_millis(50), Duration::from_secs(60)),
                    );
                }
                status => bail!("no credential: status {status}: {}", reply.body),
            }
        }
        bail!("no credential: 429 for ever");
    }
}

/// Warifu's secret: HKDF-SHA-256 over the X25519 output, with the credential ID as salt.
pub(crate) fn warifu_secret(shared: &[u8; 32], id: &str) -> Result<Vec<u8>> {
    let mut secret = vec![0; 32];
    Hkdf::<Sha256>::new(Some(id.as_bytes()), shared)
        .expand(b"warifu totp v1", &mut secret)
        .map_err(|error| anyhow!("{error}"))?;
    Ok(secret)
}

/// Random bytes.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("no random bytes: {error}"))?;
    Ok(bytes)
}

/// Reads `ID SECRET` lines.
pub(super) fn enrolled(text: &str, encoding: Encoding) -> Result<VecDeque<Credential>> {
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (id, secret) = line
                .split_once(char::is_whitespace)
                .context("a line that is not `ID SECRET`")?;
            let secret = encoding.decode(secret.trim())?;
            let id = id.to_owned();
            Ok(Credential { id, secret })
        })
        .collect()
}

fn text_at(answer: &Value, pointer: &str) -> Result<String> {
    match answer.pointer(pointer) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Number(number)) => Ok(number.to_string()),
        _ => bail!("nothing at {pointer} in {answer}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_enrolled_credentials_is_read() {
        let list = enrolled("# id secret\nA1 4a6f\n\nB2\t00\n", Encoding::Hex).unwrap();
        assert_eq!(list.len(), 2);
        assert_eq!(
            (list[0].id.as_str(), list[0].secret.as_slice()),
            ("A1", &b"Jo"[..])
        );
        assert!(enrolled("alone", Encoding::Hex).is_err());
    }

    /// The expected bytes come from another implementation of RFC 5869.
    #[test]
    fn the_secret_is_hkdf_with_the_id_as_salt() {
        let secret = warifu_secret(&[7; 32], "WRCA12345674").unwrap();
        assert_eq!(
            HEXLOWER.encode(&secret),
            "e76dae8e64900c971a2cfe1d93ee75a171fefc09bdcd0af3bddeeb1c85232516"
        );
    }
}
