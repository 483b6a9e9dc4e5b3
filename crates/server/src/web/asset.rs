//! Files that pages bring along, in the program itself.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

/// A file of a page. Its name holds a hash of its content, so a browser may keep it for ever.
pub(crate) struct Asset {
    stem: &'static str,
    extension: &'static str,
    media_type: &'static str,
    content: &'static str,
    hash: u64,
}

impl Asset {
    pub(crate) const fn new(
        stem: &'static str,
        extension: &'static str,
        media_type: &'static str,
        content: &'static str,
    ) -> Self {
        Self {
            stem,
            extension,
            media_type,
            content,
            hash: fnv1a(content.as_bytes()),
        }
    }

    /// Its name under `/assets/`.
    pub(crate) fn name(&self) -> String {
        format!("{}.{:016x}.{}", self.stem, self.hash, self.extension)
    }

    /// 200, to be kept for a year: another content has another name.
    pub(crate) fn response(&'static self) -> Response {
        let headers = [
            (
                header::CONTENT_TYPE,
                HeaderValue::from_static(self.media_type),
            ),
            (
                header::CACHE_CONTROL,
                HeaderValue::from_static("public, max-age=31536000, immutable"),
            ),
        ];
        (headers, self.content).into_response()
    }
}

/// FNV-1a, 64 bits: tells versions of a file apart; nobody is kept out by it.
const fn fnv1a(mut bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    while let [first, rest @ ..] = bytes {
        hash = (hash ^ *first as u64).wrapping_mul(0x0000_0100_0000_01b3);
        bytes = rest;
    }
    hash
}
