//! The token as an installable web app (rules T1 to T8): `apps/web-token`, served from the program itself, and the page
//! that tells how to get it.

mod files;
mod guide;
mod marker;

use std::sync::Arc;

use axum::Router;
use axum::response::Redirect;
use axum::routing::{get, put};

use crate::token_api::Api;

/// The routes of the app and its guide, for the token service's own listener: never the bank's origin.
pub(crate) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .route("/token", get(async || Redirect::permanent("/token/")))
        .route("/token/", get(files::start))
        .route("/token/{name}", get(files::file))
        .route("/token/marker", put(marker::set).delete(marker::clear))
        .route("/guide", get(guide::guide))
        .route("/guide/{name}", get(guide::asset))
}
