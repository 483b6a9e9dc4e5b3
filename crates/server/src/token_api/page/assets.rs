//! What the page brings along, in the program itself.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

/// A file of the page. Its name holds a hash of its content, so a browser may keep it for ever.
pub(super) struct Asset {
    stem: &'static str,
    extension: &'static str,
    media_type: &'static str,
    content: &'static str,
    hash: u64,
}

/// The style sheet.
pub(super) static STYLE: Asset = Asset::new(
    "api",
    "css",
    "text/css; charset=utf-8",
    include_str!("../../../assets/api.css"),
);

/// The mark of Warifu: a tally split in two.
pub(super) static MARK: Asset = Asset::new(
    "mark",
    "svg",
    "image/svg+xml",
    include_str!("../../../assets/mark.svg"),
);

impl Asset {
    const fn new(
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
    pub(super) fn name(&self) -> String {
        format!("{}.{:016x}.{}", self.stem, self.hash, self.extension)
    }

    /// 200, to be kept for a year: another content has another name.
    pub(super) fn response(&'static self) -> Response {
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

/// The file of a name.
pub(super) fn named(name: &str) -> Option<&'static Asset> {
    [&STYLE, &MARK]
        .into_iter()
        .find(|asset| asset.name() == name)
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
