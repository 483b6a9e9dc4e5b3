//! A session with a token: the only place that speaks PKCS#11.

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::Error;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::{Slot, TokenInfo};
use cryptoki::types::AuthPin;
use zeroize::Zeroizing;

use super::error::Said;
use super::{Hsm, HsmError};

/// Bytes of a nonce, with which a wrapped key begins.
pub(in crate::service) const NONCE: usize = 12;

const TAG_BITS: usize = 128;

/// A key in the token.
pub(super) type Key = ObjectHandle;

/// A session that is logged in.
pub(super) struct Token {
    session: Session,
    module: Pkcs11,
}

impl Token {
    /// Loads the module, looks for the token and logs in.
    pub(super) fn open(hsm: &Hsm, pin: &str, writes: bool) -> Result<Self, HsmError> {
        let said = |error: Error| Said(error).of(hsm);
        let module = Pkcs11::new(&hsm.module).map_err(said)?;
        module
            .initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))
            .map_err(said)?;
        match log_in(&module, hsm, pin, writes) {
            Ok(session) => Ok(Self { session, module }),
            Err(error) => {
                finalise(module);
                Err(error)
            }
        }
    }

    /// Logs out and lets the module go.
    pub(super) fn close(self) {
        let Self { session, module } = self;
        // Closing the last session logs out; a token that is gone needs neither.
        if let Err(error) = session.close() {
            tracing::debug!(%error, "closing the PKCS#11 session");
        }
        finalise(module);
    }

    /// The key with a label, if it is the only one and cannot be taken out.
    pub(super) fn find(&self, hsm: &Hsm, label: &str) -> Result<Key, HsmError> {
        let found = self.labelled(hsm, label)?;
        let (key, token) = (label.to_owned(), hsm.token.clone());
        let handle = match found.as_slice() {
            [] => return Err(HsmError::NoKey { key, token }),
            [one] => *one,
            many => {
                let count = many.len();
                return Err(HsmError::ManyKeys { key, token, count });
            }
        };
        let asked = [AttributeType::Extractable, AttributeType::Sensitive];
        let said = self
            .session
            .get_attributes(handle, &asked)
            .map_err(|error| Said(error).of(hsm))?;
        if said.contains(&Attribute::Extractable(true))
            || said.contains(&Attribute::Sensitive(false))
        {
            return Err(HsmError::Extractable(key));
        }
        Ok(handle)
    }

    fn labelled(&self, hsm: &Hsm, label: &str) -> Result<Vec<Key>, HsmError> {
        let wanted = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::AES),
            Attribute::Label(label.as_bytes().to_vec()),
        ];
        self.session
            .find_objects(&wanted)
            .map_err(|error| Said(error).of(hsm))
    }

    /// Makes the wrapping key.
    pub(super) fn make_key(&self, hsm: &Hsm) -> Result<(), HsmError> {
        if !self.labelled(hsm, &hsm.key)?.is_empty() {
            let (key, token) = (hsm.key.clone(), hsm.token.clone());
            return Err(HsmError::KeyThere { key, token });
        }
        let template = [
            Attribute::Label(hsm.key.as_bytes().to_vec()),
            Attribute::ValueLen(32.into()),
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Encrypt(true),
            Attribute::Decrypt(true),
        ];
        self.session
            .generate_key(&Mechanism::AesKeyGen, &template)
            .map(drop)
            .map_err(|error| Said(error).of(hsm))
    }

    /// Nonce, ciphertext and tag. A module that chooses nonces itself writes its own over the given one.
    pub(super) fn encrypt(
        &self,
        key: Key,
        mut nonce: [u8; NONCE],
        bound_to: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, Said> {
        let params = GcmParams::new(&mut nonce, bound_to, tag_bits()?)?;
        let sealed = self
            .session
            .encrypt(&Mechanism::AesGcm(params), key, plain)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// What [`Self::encrypt`] was given.
    pub(super) fn decrypt(
        &self,
        key: Key,
        bound_to: &[u8],
        wrapped: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Said> {
        let (nonce, sealed) = wrapped
            .split_first_chunk::<NONCE>()
            .ok_or(Error::InvalidValue)?;
        let mut nonce = *nonce;
        let params = GcmParams::new(&mut nonce, bound_to, tag_bits()?)?;
        let plain = self
            .session
            .decrypt(&Mechanism::AesGcm(params), key, sealed)?;
        Ok(Zeroizing::new(plain))
    }
}

fn tag_bits() -> Result<cryptoki::types::Ulong, Error> {
    cryptoki::types::Ulong::try_from(TAG_BITS)
}

fn finalise(module: Pkcs11) {
    if let Err(error) = module.finalize() {
        tracing::debug!(%error, "finalising the PKCS#11 module");
    }
}

fn log_in(module: &Pkcs11, hsm: &Hsm, pin: &str, writes: bool) -> Result<Session, HsmError> {
    let said = |error: Error| Said(error).of(hsm);
    let (slot, info) = slot(module, hsm)?;
    may_log_in(hsm, info.user_pin_locked(), info.user_pin_final_try())?;
    let mechanisms = module.get_mechanism_list(slot).map_err(said)?;
    let able = mechanisms.contains(&MechanismType::AES_GCM)
        && module
            .get_mechanism_info(slot, MechanismType::AES_GCM)
            .is_ok_and(|info| info.encrypt() && info.decrypt());
    if !able {
        return Err(HsmError::Mechanism(hsm.token.clone()));
    }
    let session = if writes {
        module.open_rw_session(slot)
    } else {
        module.open_ro_session(slot)
    }
    .map_err(said)?;
    session
        .login(UserType::User, Some(&AuthPin::new(pin.into())))
        .map_err(said)?;
    Ok(session)
}

/// A service that starts again and again must not lock its token.
fn may_log_in(hsm: &Hsm, locked: bool, final_try: bool) -> Result<(), HsmError> {
    if locked {
        let reason = "its PIN is locked; the security officer sets a new one";
        let token = hsm.token.clone();
        return Err(HsmError::Closed { token, reason });
    }
    if final_try {
        return Err(HsmError::FinalTry(hsm.token.clone()));
    }
    Ok(())
}

fn slot(module: &Pkcs11, hsm: &Hsm) -> Result<(Slot, TokenInfo), HsmError> {
    let said = |error: Error| Said(error).of(hsm);
    let mut found = Vec::new();
    let mut others = Vec::new();
    for slot in module.get_slots_with_token().map_err(said)? {
        let info = module.get_token_info(slot).map_err(said)?;
        if info.label() == hsm.token {
            found.push((slot, info));
        } else if !info.label().is_empty() {
            others.push(info.label().to_owned());
        }
    }
    let (wanted, count) = (hsm.token.clone(), found.len());
    match (found.pop(), count) {
        (Some(found), 1) => Ok(found),
        (None, _) => Err(HsmError::NoToken {
            wanted,
            found: others,
        }),
        _ => Err(HsmError::ManyTokens { wanted, count }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::PinSource;

    #[test]
    fn a_pin_is_not_tried_when_one_more_wrong_one_would_lock_the_token() {
        let hsm = Hsm {
            module: "module.so".into(),
            token: "warifu".into(),
            key: "master".into(),
            older_keys: Vec::new(),
            pin: PinSource::Environment("PIN".into()),
        };
        assert_eq!(may_log_in(&hsm, false, false), Ok(()));
        assert_eq!(
            may_log_in(&hsm, false, true),
            Err(HsmError::FinalTry("warifu".into()))
        );
        assert!(matches!(
            may_log_in(&hsm, true, true),
            Err(HsmError::Closed { .. })
        ));
    }
}
