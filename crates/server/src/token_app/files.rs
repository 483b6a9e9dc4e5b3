//! The files of the app, as they lie in `apps/web-token`. Two get their version at the start: the page, so that it can
//! say which it is, and the worker, so that it keeps one version whole.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use data_encoding::{BASE64, HEXLOWER};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

use crate::token_api::{ApiProblem, not_found};

/// The page's own name, which is the folder's.
const PAGE: &str = "";
const WORKER: &str = "worker.js";

/// Where the page says its version.
const VERSION_PLACE: &str = "content=\"VERSION\"";

/// Only files of this origin, and no script from a string: the one policy lets the worker's address through.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types warifu-worker";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";
const PNG: &str = "image/png";
const MANIFEST: &str = "application/manifest+json; charset=utf-8";

macro_rules! source {
    ($name:literal, $kind:expr) => {
        source!($name, $name, $kind)
    };
    ($name:expr, $path:literal, $kind:expr) => {
        (
            $name,
            $kind,
            include_bytes!(concat!("../../../../apps/web-token/", $path)).as_slice(),
        )
    };
}

/// Name, media type, content.
static SOURCES: [(&str, &str, &[u8]); 22] = [
    source!(PAGE, "index.html", HTML),
    source!("app.css", CSS),
    source!("app.webmanifest", MANIFEST),
    source!("apple-touch-icon.png", PNG),
    source!("backend.js", SCRIPT),
    source!("clipboard.js", SCRIPT),
    source!("clock.js", SCRIPT),
    source!("dom.js", SCRIPT),
    source!("exchange.js", SCRIPT),
    source!("face.js", SCRIPT),
    source!("icon-192.png", PNG),
    source!("icon-512.png", PNG),
    source!("icon-maskable.png", PNG),
    source!("lock.js", SCRIPT),
    source!("main.js", SCRIPT),
    source!("mark.svg", SVG),
    source!("service.js", SCRIPT),
    source!("store.js", SCRIPT),
    source!("texts.js", SCRIPT),
    source!("texts_en.js", SCRIPT),
    source!("texts_ja.js", SCRIPT),
    source!("totp.js", SCRIPT),
];

static WORKER_SOURCE: &str = include_str!("../../../../apps/web-token/worker.js");

/// A file as it is served.
struct File {
    name: &'static str,
    media_type: &'static str,
    content: Vec<u8>,
    /// The same under gzip; nothing where that is no smaller.
    gzip: Option<Vec<u8>>,
    digest: [u8; 32],
}

/// What the worker keeps may be asked for without it: the icons are for the system, which fetches them itself.
fn kept(file: &File) -> bool {
    file.media_type != PNG
}

static FILES: LazyLock<Vec<File>> = LazyLock::new(|| {
    let version = version();
    let mut files: Vec<File> = SOURCES
        .iter()
        .map(|&(name, media_type, content)| {
            let content = if name == PAGE {
                let named = format!("content=\"{version}\"");
                String::from_utf8_lossy(content)
                    .replacen(VERSION_PLACE, &named, 1)
                    .into_bytes()
            } else {
                content.to_vec()
            };
            File::new(name, media_type, content)
        })
        .collect();
    let worker = worker(&version, &files);
    files.push(File::new(WORKER, SCRIPT, worker.into_bytes()));
    files
});

/// A hash of everything that is served: another content is another version, and nothing else is.
fn version() -> String {
    let mut hash = Sha256::new();
    for (name, _, content) in SOURCES
        .iter()
        .chain([&(WORKER, SCRIPT, WORKER_SOURCE.as_bytes())])
    {
        for part in [name.as_bytes(), content] {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
    }
    let mut text = HEXLOWER.encode(&hash.finalize());
    text.truncate(12);
    text
}

/// The worker, told its version and the hash of every file that belongs to it.
fn worker(version: &str, files: &[File]) -> String {
    let mut text = format!("self.WARIFU = {{ version: '{version}', files: {{");
    for file in files.iter().filter(|file| kept(file)) {
        let (name, digest) = (file.name, BASE64.encode(&file.digest));
        let _ = write!(text, " './{name}': 'sha256-{digest}',");
    }
    text.push_str(" } };\n");
    text.push_str(WORKER_SOURCE);
    text
}

impl File {
    fn new(name: &'static str, media_type: &'static str, content: Vec<u8>) -> Self {
        let digest = Sha256::digest(&content).into();
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let packed = encoder
            .write_all(&content)
            .and_then(|()| encoder.finish())
            .ok();
        Self {
            gzip: packed.filter(|packed| packed.len() < content.len()),
            name,
            media_type,
            content,
            digest,
        }
    }

    /// 200, or 304 to whoever has this content. Always asked for again: the worker alone decides what is kept.
    fn response(&'static self, asked: &HeaderMap) -> Response {
        let gzip = self.gzip.as_deref().filter(|_| takes_gzip(asked));
        let form = if gzip.is_some() { "-gzip" } else { "" };
        let tag = HEXLOWER.encode(self.digest.get(..16).unwrap_or_default());
        let tag = format!("\"{tag}{form}\"");
        let known = asked
            .get_all(header::IF_NONE_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|value| value.trim().trim_start_matches("W/") == tag);
        let mut response = if known {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            gzip.unwrap_or(&self.content).into_response()
        };
        let headers = response.headers_mut();
        let mut set = |name: HeaderName, value: &'static str| {
            headers.insert(name, HeaderValue::from_static(value));
        };
        set(header::CACHE_CONTROL, "no-cache");
        set(header::VARY, "Accept-Encoding");
        if !known {
            set(header::CONTENT_TYPE, self.media_type);
            if gzip.is_some() {
                set(header::CONTENT_ENCODING, "gzip");
            }
        }
        if self.media_type == HTML || self.name == WORKER {
            set(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
            set(
                HeaderName::from_static("cross-origin-opener-policy"),
                "same-origin",
            );
        }
        set(
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        );
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            headers.insert(header::ETAG, tag);
        }
        response
    }
}

/// Does the client say that it reads gzip (RFC 9110 §12.5.3)?
fn takes_gzip(asked: &HeaderMap) -> bool {
    asked
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|coding| {
            let mut parts = coding.split(';').map(str::trim);
            parts.next() == Some("gzip") && !parts.any(|weight| matches!(weight, "q=0" | "q=0.0"))
        })
}

async fn named(name: &str, asked: &HeaderMap) -> Result<Response, ApiProblem> {
    match FILES.iter().find(|file| file.name == name) {
        Some(file) => Ok(file.response(asked)),
        None => Err(not_found().await),
    }
}

/// `GET /token/`
pub(super) async fn start(headers: HeaderMap) -> Result<Response, ApiProblem> {
    named(PAGE, &headers).await
}

/// `GET /token/{name}`
pub(super) async fn file(
    name: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiProblem> {
    let name = name.map(|Path(name)| name).unwrap_or_default();
    if name.is_empty() {
        return Err(not_found().await);
    }
    named(&name, &headers).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_and_the_worker_say_the_same_version() {
        let version = version();
        let text = |name| {
            let file = FILES.iter().find(|file| file.name == name).unwrap();
            String::from_utf8(file.content.clone()).unwrap()
        };
        assert!(text(PAGE).contains(&format!("content=\"{version}\"")));
        assert!(text(WORKER).contains(&format!("version: '{version}'")));
    }

    #[test]
    fn the_worker_keeps_every_file_but_the_icons_and_itself() {
        let worker = FILES.iter().find(|file| file.name == WORKER).unwrap();
        let text = String::from_utf8(worker.content.clone()).unwrap();
        let told = text.lines().next().unwrap();
        for file in FILES.iter() {
            let named = format!(" './{}': 'sha256-", file.name);
            let kept = file.media_type != PNG && file.name != WORKER;
            assert_eq!(told.contains(&named), kept, "{named}");
        }
    }

    #[test]
    fn who_has_a_file_is_told_so_and_who_reads_gzip_gets_gzip() {
        let file = FILES.iter().find(|file| file.name == "app.css").unwrap();
        let mut asked = HeaderMap::new();
        let plain = file.response(&asked);
        assert_eq!(plain.status(), StatusCode::OK);
        assert!(!plain.headers().contains_key(header::CONTENT_ENCODING));
        asked.insert(header::IF_NONE_MATCH, plain.headers()[header::ETAG].clone());
        assert_eq!(file.response(&asked).status(), StatusCode::NOT_MODIFIED);
        asked.insert(
            header::ACCEPT_ENCODING,
            HeaderValue::from_static("br, gzip;q=0.8"),
        );
        let packed = file.response(&asked);
        assert_eq!(packed.status(), StatusCode::OK);
        assert_eq!(packed.headers()[header::CONTENT_ENCODING], "gzip");
        assert_ne!(
            packed.headers()[header::ETAG],
            plain.headers()[header::ETAG]
        );
    }

    #[test]
    fn gzip_is_given_only_to_who_asks() {
        for (asked, given) in [
            ("gzip", true),
            ("deflate, gzip;q=1.0", true),
            ("gzip;q=0", false),
            ("br", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(asked));
            assert_eq!(takes_gzip(&headers), given, "{asked}");
        }
    }
}
