//! `/guide`: how to get the token on each kind of device, and what to do when something goes wrong (rules T4, T7, T8).

use askama::Template;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::token_api::{ApiProblem, Language, Wanted, not_found};
use crate::web::asset::Asset;
use crate::web::page::MARK;
use crate::web::place::is_this_machine;
use crate::web::qr::{Drawing, draw};

static STYLE: Asset = Asset::new(
    "guide",
    "css",
    "text/css; charset=utf-8",
    include_str!("../../assets/guide.css"),
);

/// The page as askama fills it in.
#[derive(Template)]
#[template(path = "token_app/guide.html")]
struct Guide<'a> {
    japanese: bool,
    /// The token's address, as the reader's browser reached this page.
    address: &'a str,
    /// How a phone gets there; nothing when the address holds on this machine alone.
    code: Option<Drawing>,
    style: &'static Asset,
    mark: &'static Asset,
}

/// `GET /guide`
pub(super) async fn guide(
    wanted: Result<Query<Wanted>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiProblem> {
    let language = Wanted::language(wanted, &headers);
    let japanese = language == Language::Japanese;
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let place = Place::of(host);
    let address = place.address();
    let page = Guide {
        japanese,
        address: &address,
        code: (!place.loopback).then(|| draw(&address)).flatten(),
        style: &STYLE,
        mark: &MARK,
    };
    let html = page
        .render()
        .map_err(|error| ApiProblem::internal(format!("the guide cannot be written: {error}")))?;
    let tag = if japanese { "ja" } else { "en" };
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
        (header::CONTENT_LANGUAGE, HeaderValue::from_static(tag)),
        (
            header::VARY,
            HeaderValue::from_static("Accept-Language, Host"),
        ),
    ];
    Ok((headers, html).into_response())
}

/// `GET /guide/{name}`
pub(super) async fn asset(
    name: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiProblem> {
    let name = name.map(|Path(name)| name).unwrap_or_default();
    match [&STYLE, &MARK]
        .into_iter()
        .find(|asset| asset.name() == name)
    {
        Some(asset) => Ok(asset.response()),
        None => Err(not_found().await),
    }
}

/// Where the reader's browser found us.
struct Place<'a> {
    host: &'a str,
    loopback: bool,
}

impl<'a> Place<'a> {
    /// By the `Host` header; what is no host counts as this machine.
    fn of(host: Option<&'a str>) -> Self {
        match (host, host.and_then(is_this_machine)) {
            (Some(host), Some(loopback)) => Self { host, loopback },
            _ => Self {
                host: "localhost",
                loopback: true,
            },
        }
    }

    /// The token's address. Browsers let it work over https alone, and on this machine without.
    fn address(&self) -> String {
        let scheme = if self.loopback { "http" } else { "https" };
        format!("{scheme}://{}/token/", self.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_the_one_by_which_the_reader_came() {
        for (host, address, loopback) in [
            (Some("127.0.0.1:8081"), "http://127.0.0.1:8081/token/", true),
            (Some("localhost"), "http://localhost/token/", true),
            (Some("[::1]:8081"), "http://[::1]:8081/token/", true),
            (Some("token.example"), "https://token.example/token/", false),
            (
                Some("192.0.2.7:8081"),
                "https://192.0.2.7:8081/token/",
                false,
            ),
            (Some("a@b"), "http://localhost/token/", true),
            (Some("<script>"), "http://localhost/token/", true),
            (None, "http://localhost/token/", true),
        ] {
            let place = Place::of(host);
            assert_eq!(
                (place.address().as_str(), place.loopback),
                (address, loopback)
            );
        }
    }

    #[test]
    fn the_qr_code_reads_as_the_address() {
        let address = "https://token.example.co.jp:8443/token/";
        let Drawing { size, path } = draw(address).unwrap();
        let scale = 4;
        let mut dark = vec![false; size * size];
        for run in path.split('M').skip(1) {
            let (place, wide) = run.split_once('h').unwrap();
            let (x, y) = place.split_once(' ').unwrap();
            let (x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
            let wide: usize = wide.split_once('v').unwrap().0.parse().unwrap();
            dark[y * size + x..][..wide].fill(true);
        }
        let pixel = |x, y| {
            if dark[y / scale * size + x / scale] {
                0
            } else {
                255
            }
        };
        let mut picture =
            rqrr::PreparedImage::prepare_from_greyscale(size * scale, size * scale, pixel);
        let codes = picture.detect_grids();
        assert_eq!(codes.len(), 1);
        assert_eq!(codes[0].decode().unwrap().1, address);
    }
}
