use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// HKDF-SHA-256 (RFC 5869) to `N` bytes.
pub(crate) fn hkdf<const N: usize>(salt: &[u8], input: &[u8], info: &[u8]) -> Zeroizing<[u8; N]> {
    const { assert!(N <= 255 * 32, "RFC 5869 §2.3: at most 255 blocks") };
    let mut output = Zeroizing::new([0; N]);
    #[expect(
        clippy::expect_used,
        reason = "the only error is a length that the assertion above rules out"
    )]
    Hkdf::<Sha256>::new(Some(salt), input)
        .expand(info, output.as_mut_slice())
        .expect("the length is checked at compile time");
    output
}

/// HMAC-SHA-256 keyed with 32 bytes, ready to take a message.
pub(crate) fn hmac(key: &[u8; 32]) -> Hmac<Sha256> {
    // RFC 2104 §2: a key shorter than the block is filled up with zeros.
    let mut block = Zeroizing::new([0; 64]);
    for (place, byte) in block.iter_mut().zip(key) {
        *place = *byte;
    }
    Hmac::new((&*block).into())
}
