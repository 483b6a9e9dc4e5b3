use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};

use super::{approvals, contracts, opening, sign_in};
use crate::bank_web::{BankWeb, failure, layer, sign_in as customers};

type Route = (&'static str, fn() -> MethodRouter<Arc<BankWeb>>);

/// Every route of the staff's pages: path and who answers. The access test goes through this very list.
pub const ROUTES: &[Route] = &[
    ("/login", || get(sign_in::page).post(sign_in::login)),
    ("/login/code", || {
        get(sign_in::code_page).post(sign_in::code)
    }),
    ("/logout", || post(sign_in::logout)),
    ("/session", || get(sign_in::keep)),
    ("/language/{language}", || get(customers::choose_language)),
    ("/assets/{name}", || get(customers::asset)),
    ("/", || get(contracts::find)),
    ("/contracts/new", || {
        get(opening::new_page).post(opening::open)
    }),
    ("/contracts/{contract}", || get(contracts::view)),
    ("/contracts/{contract}/deposit", || post(contracts::deposit)),
    ("/contracts/{contract}/password", || post(opening::reissue)),
    ("/contracts/{contract}/stop", || post(contracts::stop)),
    ("/contracts/{contract}/ask", || {
        post(contracts::ask_approval)
    }),
    ("/approvals", || get(approvals::list)),
    ("/approvals/decide", || post(approvals::decide)),
    ("/mails", || get(approvals::mails)),
];

/// The staff's pages.
pub fn router(web: Arc<BankWeb>) -> Router {
    ROUTES
        .iter()
        .fold(Router::new(), |router, (path, handlers)| {
            router.route(path, handlers())
        })
        .fallback(failure::not_found)
        .method_not_allowed_fallback(failure::method)
        .layer(from_fn_with_state(Arc::clone(&web), layer::around))
        .with_state(web)
}
